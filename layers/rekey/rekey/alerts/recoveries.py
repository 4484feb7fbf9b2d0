"""What the workflow ``recover`` tells at its end: an event of the type ``Rekey Recovery``."""

from collections.abc import Mapping
from typing import Any

from rekey.access.shape import mapping, text
from rekey.alerts import topics
from rekey.alerts.finding import SECRET_ARN, Finding, Kind, Reason, Severity, Status
from rekey.alerts.record import moment
from rekey.errors import InvalidEvent
from rekey.incident import Recovery
from rekey.recovery.decision import Afterwards
from rekey.recovery.rules import Action

DETAIL_TYPE = "Rekey Recovery"

ENDS = {
    "recovered": Kind.RECOVERED,
    "needs-person": Kind.NEEDS_PERSON,
    "halted": Kind.HALTED,
    "failed": Kind.NEEDS_PERSON,
}

DONE: Mapping[str, str] = {
    Action.CLEAR: "AWSPENDING was taken off the version whose rotation failed.",
    Action.ROLL_FORWARD: "The rotation was finished with the new password.",
    Action.ROLL_BACK: "The former version serves; the one that was rolled back is rejected.",
    Action.RESTORE: "The superuser gave the user the password in AWSCURRENT.",
}
NOTHING_UNDONE = "AWSPENDING was taken off the version, and nothing else had to be undone."
UNCHANGED = "Nothing was changed."
NEXT: Mapping[str, str] = {
    Afterwards.ROTATE_AGAIN: "Rekey starts another rotation later, unless somebody acts before.",
    Afterwards.HALT: "Rekey has set the tag rekey:halted and does not touch the secret any more.",
}


def recovery(event: Mapping[str, Any]) -> Recovery:
    """Return words of closed sets and a time: nothing by which secrets could be told apart."""
    detail = mapping(event, "detail")
    outcome = text(detail, "outcome")
    action = Action.NOTHING if _is_unchanged(detail) else text(detail, "action")
    return Recovery(
        action if action in set(Action) else "unknown",
        outcome if outcome in ENDS else "unknown",
        _seconds(detail),
    )


def _seconds(detail: Mapping[str, Any]) -> float | None:
    try:
        taken = moment(detail, "verifiedAt") - moment(detail, "failedAt")
    except InvalidEvent:
        return None
    # CloudTrail tells whole seconds, and clocks differ.
    return max(taken.total_seconds(), 0.0)


def finding(event: Mapping[str, Any]) -> Finding:
    """Return what a person should know of a recovery. Raises InvalidEvent."""
    detail = mapping(event, "detail")
    arn, kind = text(detail, "secretId"), ENDS.get(text(detail, "outcome"))
    if kind is None or not SECRET_ARN.fullmatch(arn):
        raise InvalidEvent("The event of a recovery lacks its secret or its outcome.")
    recovered = kind is Kind.RECOVERED
    happened = text(detail, "happened") or "a rotation failed"
    advice = text(detail, "advice")
    done = (_done(detail), NEXT.get(text(detail, "afterwards")))
    return Finding(
        kind=kind,
        topic=topics.rotation(arn),
        occurrence=text(event, "id"),
        when=moment(event, "time"),
        what=f"What happened: {happened}. {text(detail, 'reason')}",
        secret=arn,
        reasons=(
            Reason("Rotation", "succeeds", happened),
            Reason("Version", "AWSCURRENT", text(detail, "versionId") or "not known"),
            Reason("Rotation function", "one of Rekey", text(detail, "functionArn") or "none"),
        ),
        done=tuple(line for line in done if line),
        next_steps=(advice,) if advice else (),
        raised=Severity.LOW if recovered else None,
        status=Status.SOLVED if recovered else Status.OPEN,
    )


def _done(detail: Mapping[str, Any]) -> str | None:
    """Return what was done, which is not always what was asked for."""
    action = text(detail, "action")
    if _is_unchanged(detail):
        return UNCHANGED
    if action == Action.ROLL_BACK and text(detail, "undone") == "nothing":
        return NOTHING_UNDONE
    return DONE.get(action)


def _is_unchanged(detail: Mapping[str, Any]) -> bool:
    """Tell whether an action found that nothing was left to be changed."""
    return text(detail, "action") in DONE and detail.get("changed") is False
