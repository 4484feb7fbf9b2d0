"""Whether a secret's rotation is in trouble, by what ListSecrets and DescribeSecret show.

Neither needs a trail or an event: this finds what no event has told.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from rekey.alerts import topics
from rekey.alerts.finding import Finding, Kind, Reason, Status, owner_of
from rekey.alerts.text import quoted
from rekey.incident import Incident
from rekey.model import HALTED_TAG, Label, is_halted
from rekey.watched import Watched

LATE = timedelta(hours=2)
"""After NextRotationDate. Rotations begin within a window, and a repetition takes its time."""

LINGERING = timedelta(hours=4)
"""AWSPENDING stands that long without any change to the secret. A rotation takes minutes."""

NEW = timedelta(days=1)
"""A secret whose rotation was switched on has that long for its first one."""

BY_DATES = frozenset({Kind.OVERDUE, Kind.STUCK_PENDING, Kind.NEVER_ROTATED})
"""What is over once labels and dates are in order."""


@dataclass(frozen=True)
class _Trouble:
    kind: Kind
    what: str
    reason: Reason


def trouble(secret: Watched, now: datetime) -> Finding | None:
    """Return what a person should know of a secret's rotation: one finding, with all reasons."""
    found = list(_troubles(secret, now))
    if not found:
        return None
    return Finding(
        kind=found[0].kind,
        topic=topics.rotation(secret.arn),
        occurrence=f"sweep-{now:%Y-%m-%d}",
        when=now,
        what=found[0].what,
        secret=secret.arn,
        owner=owner_of(secret.tags),
        reasons=(*(each.reason for each in found), _function(secret)),
    )


def relief(secret: Watched, incident: Incident, now: datetime) -> Finding | None:
    """Return that an incident is solved, for a secret without trouble.

    What the sweep cannot see the end of is over only if a rotation has succeeded since: AWSCURRENT
    may not log in though every date is in order, and though nobody is kept by rekey:halted any
    more. Nothing is in order, and nothing late, where rotation is switched off.
    """
    if incident.solved is not None:
        return None
    rotated = secret.rotated is not None and secret.rotated > incident.seen
    in_order = secret.rotation_enabled and incident.kinds <= BY_DATES
    if not (rotated or in_order):
        return None
    kind = min(Kind(kind) for kind in incident.kinds)
    return Finding(
        kind=kind,
        topic=topics.rotation(secret.arn),
        occurrence=f"sweep-{now:%Y-%m-%d}",
        when=now,
        what="The secret's rotation is in order again.",
        secret=secret.arn,
        owner=owner_of(secret.tags),
        reasons=(Reason("Last rotation", "as scheduled", _time(secret.rotated)),),
        status=Status.SOLVED,
    )


def _troubles(secret: Watched, now: datetime) -> Iterator[_Trouble]:
    """Yield the gravest first. A copy's rotation is looked at where the original is."""
    if secret.replica:
        return
    yield from _halted(secret)
    yield from _stuck(secret, now)
    yield from _not_rotated(secret, now)


def _halted(secret: Watched) -> Iterator[_Trouble]:
    if is_halted(secret.tags):
        value = secret.tags[HALTED_TAG]
        what = "Recovery failed too often. Rekey does not touch the secret until a person says so."
        yield _Trouble(Kind.HALTED, what, Reason("Tag rekey:halted", "not set", quoted(value)))


def _stuck(secret: Watched, now: datetime) -> Iterator[_Trouble]:
    pending = secret.holder(Label.PENDING)
    stands_apart = pending is not None and pending != secret.holder(Label.CURRENT)
    if stands_apart and secret.changed + LINGERING <= now:
        what = "A rotation has begun and did not end: AWSPENDING stands on a version of its own."
        seen = f"on {pending}, and the secret unchanged since {_time(secret.changed)}"
        usual = "on no version, or on AWSCURRENT's"
        yield _Trouble(Kind.STUCK_PENDING, what, Reason("AWSPENDING", usual, seen))


def _not_rotated(secret: Watched, now: datetime) -> Iterator[_Trouble]:
    if not secret.rotation_enabled:
        return
    late = secret.due is not None and secret.due + LATE <= now
    if secret.rotated is None and (late or secret.due is None) and secret.changed + NEW <= now:
        what = "Rotation is switched on, and the secret was never rotated."
        reason = Reason("First rotation", "within a day, or when it is due", _due(secret))
        yield _Trouble(Kind.NEVER_ROTATED, what, reason)
    elif late:
        what = "The rotation was due, and has not happened: it fails, or it was not started."
        seen = f"{_due(secret)}; last rotated: {_time(secret.rotated)}"
        yield _Trouble(Kind.OVERDUE, what, Reason("NextRotationDate", "in the future", seen))


def _due(secret: Watched) -> str:
    return f"due: {_time(secret.due)}"


def _function(secret: Watched) -> Reason:
    function = secret.function or "none"
    return Reason("Rotation function", "one that works", function)


def _time(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"
