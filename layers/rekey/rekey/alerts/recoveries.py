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
    Action.ROLL_BACK: "AWSPREVIOUS serves again; the version that failed is rejected.",
    Action.RESTORE: "The superuser gave the user the password in AWSCURRENT.",
}
NEXT: Mapping[str, str] = {
    Afterwards.ROTATE_AGAIN: "Rekey starts another rotation later, unless somebody acts before.",
    Afterwards.HALT: "Rekey has set the tag rekey:halted and does not touch the secret any more.",
}


def recovery(event: Mapping[str, Any]) -> Recovery:
    """Return words of closed sets and a time: nothing by which secrets could be told apart."""
    detail = mapping(event, "detail")
    action, outcome = text(detail, "action"), text(detail, "outcome")
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
    done = (DONE.get(text(detail, "action")), NEXT.get(text(detail, "afterwards")))
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
