"""Consumers that have not renewed, as findings that people get."""

from dataclasses import replace
from datetime import UTC, datetime

from rekey.access.renewal import PATIENCE, Verdict
from rekey.access.stale import Answer, Consumer
from rekey.alerts import topics
from rekey.alerts.finding import Finding, Kind, Reason, Severity, Status, Table
from rekey.alerts.text import quoted
from rekey.incident import Incident
from rekey.model import Strategy

COLUMNS = ("principal", "since the rotation", "last read", "version")
BY_HAND = "Retire the old password by hand: docs/strategies.md, Retire by hand."

NOBODY_LEFT = "No consumer is known any more that needs the old version."
NOT_ASKED = "Who had not renewed since this rotation is not followed any more."

WHAT_IT_MEANS = {
    Strategy.SINGLE_USER: "The password before works no more: they are refused when they log in.",
    Strategy.ALTERNATING_USERS: "The user before is refused from the next rotation on.",
    Strategy.DUAL_PASSWORD: "The password before works until it is retired.",
    None: "Whether the value before still works, is not known.",
}


def not_renewed(verdict: Verdict) -> Finding | None:
    """Return what people should know once the grace is over; None if there is nobody to name.

    Silence alone is told after ``PATIENCE`` only, and as low.
    """
    late = verdict.late
    silent = verdict.holding if verdict.age >= PATIENCE else ()
    if not (late or silent) or verdict.lost is None:
        return None
    what = f"{_counted(verdict, len(late), len(silent))} {WHAT_IT_MEANS[verdict.strategy]}"
    occurrence = "late" if late else "silent"
    return replace(_finding(verdict, Kind.NOT_RENEWED, occurrence, what), raised=_severity(verdict))


def _severity(verdict: Verdict) -> Severity:
    if not verdict.late:
        return Severity.LOW
    broken = verdict.strategy is Strategy.SINGLE_USER
    return Severity.HIGH if broken else Severity.MEDIUM


def kept(verdict: Verdict, waited: float) -> Finding:
    """Return that a retirement has been given up after ``waited`` seconds."""
    what = (
        f"The password before AWSCURRENT was not retired, and still works: {len(verdict.late)} "
        f"consumers were given the old version after the rotation and have not let go of it "
        f"{waited / 3600:.0f} h after the grace."
    )
    return _finding(verdict, Kind.OLD_PASSWORD_KEPT, "kept", what)


def solved(verdict: Verdict, incident: Incident) -> Finding:
    """Return the end of an incident: all have renewed, or nobody asks any more.

    Of a version that is not AWSCURRENT any more nobody knows whether its consumers had renewed.
    """
    over = verdict.answer is Answer.SUPERSEDED
    was_kept = Kind.OLD_PASSWORD_KEPT.value in incident.kinds
    return Finding(
        Kind.OLD_PASSWORD_KEPT if was_kept else Kind.NOT_RENEWED,
        topics.consumers(verdict.secret, verdict.version),
        "solved",
        datetime.fromtimestamp(verdict.now, UTC),
        f"{NOT_ASKED if over else NOBODY_LEFT} {verdict.reason}",
        verdict.secret,
        next_steps=(BY_HAND,) if was_kept and verdict.rotates and verdict.old else (),
        status=Status.SOLVED,
    )


def table(lines: tuple[Consumer, ...]) -> Table:
    """Return consumers as people read them. Their names are the callers' choice, so quoted."""
    rows = (
        (quoted(one.principal), one.consumption.value, _time(one.last_read), one.version or "?")
        for one in lines
    )
    return Table(COLUMNS, tuple(rows))


def _finding(verdict: Verdict, kind: Kind, occurrence: str, what: str) -> Finding:
    usual = f"AWSCURRENT: {verdict.version}"
    return Finding(
        kind,
        topics.consumers(verdict.secret, verdict.version),
        occurrence,
        datetime.fromtimestamp(verdict.now, UTC),
        what,
        verdict.secret,
        reasons=(Reason("Version that consumers have", usual, _old(verdict)),),
        table=table((*verdict.late, *verdict.holding)),
    )


def _old(verdict: Verdict) -> str:
    return f"{verdict.old}, replaced {_time(verdict.lost or 0)}"


def _counted(verdict: Verdict, late: int, silent: int) -> str:
    parts = []
    if late:
        every = len(verdict.consumers)
        parts.append(f"{late} of {every} consumers are still given an old version.")
    if silent:
        parts.append(f"{silent} that had it have read nothing for a day and may still hold it.")
    return " ".join(parts)


def _time(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC") if at else "never"
