"""One message per incident: what to say of a finding, given what is known of its incident.

Events come late, twice, in any order and at once. So the decision rests on sets, minima and
maxima, and what is to be said is noted with the incident before it is said: whoever comes after a
crash says it again, under the same id.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto, unique

from rekey.alerts.finding import MOST_COUNTED, Finding
from rekey.alerts.kinds import KINDS, Kind
from rekey.incident import Incident, Severity, Status, Untold

LEASE = timedelta(minutes=2)
"""How long whoever noted a message has for saying it. After that the next finding says it."""

REFRESH = timedelta(minutes=5)
"""Repetitions beyond the count are noted this often: a flood must not become a flood of writes."""

OVER = "It has been put right since; its record came late."
"""What is added to a finding that is told after its end."""


@unique
class Action(Enum):
    """What follows from a finding."""

    PUBLISH_NEW = auto()
    PUBLISH_UPDATE = auto()
    PUBLISH_SOLVED = auto()
    FOLD = auto()
    """Noted, and nobody is told."""
    IGNORE = auto()
    """Known already: nothing to note either."""

    @property
    def speaks(self) -> bool:
        """Whether a message follows."""
        return self in _SAYS.values()


_SAYS = {
    Status.OPEN: Action.PUBLISH_NEW,
    Status.UPDATED: Action.PUBLISH_UPDATE,
    Status.SOLVED: Action.PUBLISH_SOLVED,
}


@dataclass(frozen=True)
class Decision:
    """What to do, why, and the incident as it is to be stored before anything is said."""

    action: Action
    incident: Incident
    reason: str


def occurrence_of(finding: Finding) -> str:
    """Return what is counted: a finding of another kind or status is no repetition."""
    parts = "\n".join((finding.kind, finding.status, finding.occurrence))
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


def decide(stored: Incident | None, finding: Finding, now: datetime) -> Decision:
    """Tell what follows from a finding; ``now`` is aware."""
    if stored is None or stored.expires <= now:
        return _first(stored, finding, now)
    if occurrence_of(finding) in stored.occurrences:
        return _repeated(stored, finding)
    if finding.status is Status.SOLVED:
        return _solution(stored, finding, now)
    if stored.solved is None:
        return _further(stored, finding, now)
    if finding.when < stored.solved:
        return _late(stored, finding, now)
    return _first(stored, finding, now)


def as_told(finding: Finding, decision: Decision) -> Finding:
    """Return the finding as it is published: with its incident's id, severity, count and status."""
    incident = decision.incident
    status = next(status for status, action in _SAYS.items() if action is decision.action)
    over = status is Status.SOLVED and finding.status is not Status.SOLVED
    return replace(
        finding,
        what=f"{finding.what} {OVER}" if over else finding.what,
        incident=incident.id,
        status=status,
        raised=incident.severity,
        count=max(len(incident.occurrences), 1),
    )


def told(incident: Incident) -> Incident:
    """Return the incident once its message has left."""
    return replace(incident, untold=None, revision=incident.revision + 1)


def _first(stored: Incident | None, finding: Finding, now: datetime) -> Decision:
    """Begin an episode. A solution of what nobody knows is kept, in case its cause comes late.

    Then a cause that people have to hear of even so weighs more than all that they were told.
    """
    solved = finding.status is Status.SOLVED
    begun = Incident(
        topic=finding.topic,
        id=f"{_digest(finding.topic)}-{finding.when.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        kinds=frozenset({finding.kind.value}),
        severity=Severity.INFORMATIONAL if solved and finding.wording.late else finding.severity,
        opened=finding.when,
        seen=finding.when,
        solved=finding.when if solved else None,
        occurrences=frozenset({occurrence_of(finding)}),
        expires=_expiry(finding, now),
        revision=(stored.revision if stored else 0) + 1,
    )
    if not solved:
        return _saying(begun, finding, Status.OPEN, now, "It is the first of its incident.")
    if finding.wording.alone:
        return _saying(begun, finding, Status.SOLVED, now, "It is news by itself.")
    return Decision(Action.FOLD, begun, "Nobody was told of an incident that this could solve.")


def _repeated(stored: Incident, finding: Finding) -> Decision:
    untold = stored.untold
    if untold and untold.occurrence == occurrence_of(finding):
        reason = "It was noted, and nobody knows whether it was said."
        return Decision(_SAYS[untold.status], stored, reason)
    return Decision(Action.IGNORE, stored, "It has been counted.")


def _solution(stored: Incident, finding: Finding, now: datetime) -> Decision:
    if stored.solved is not None:
        if finding.wording.alone and finding.when > stored.solved:
            return _first(stored, finding, now)
        return _folded(stored, finding, now, "The incident is solved already.")
    if finding.when <= stored.seen:
        # Records tell whole seconds: within one, nobody knows which came last.
        return _folded(stored, finding, now, "The incident has gone on since.", solves=False)
    noted = _noted(stored, finding)
    return _saying(noted, finding, Status.SOLVED, now, "The incident is solved.")


def _further(stored: Incident, finding: Finding, now: datetime) -> Decision:
    noted = _noted(stored, finding)
    if finding.severity.rank > stored.severity.rank:
        return _saying(noted, finding, Status.UPDATED, now, "It is more severe than before.")
    if finding.kind.value not in stored.kinds and finding.severity.rank >= Severity.HIGH.rank:
        return _saying(noted, finding, Status.UPDATED, now, "It is severe, and of another kind.")
    # Beyond what is counted, nobody knows what was told.
    if finding.wording.grows and len(stored.occurrences) < MOST_COUNTED:
        return _saying(noted, finding, Status.UPDATED, now, "There is more to tell.")
    return _folded(stored, finding, now, "People know of the incident.")


def _late(stored: Incident, finding: Finding, now: datetime) -> Decision:
    """Judge what is older than what solved the incident."""
    if finding.severity.rank > stored.severity.rank:
        if finding.wording.fades:
            return _reopened(stored, finding, now)
        if finding.wording.late:
            noted = _noted(stored, finding)
            return _saying(noted, finding, Status.SOLVED, now, "It is over, and weighs more.")
    return _folded(stored, finding, now, "It is older than what solved the incident.")


def _reopened(stored: Incident, finding: Finding, now: datetime) -> Decision:
    noted = replace(_noted(stored, finding), solved=None)
    return _saying(noted, finding, Status.UPDATED, now, "It came late, and weighs more than all.")


def _folded(
    stored: Incident, finding: Finding, now: datetime, reason: str, *, solves: bool = True
) -> Decision:
    noted = _noted(stored, finding, solves=solves)
    untold = stored.untold
    if untold and untold.since + LEASE <= now and _fits(untold, finding):
        return _saying(noted, finding, untold.status, now, "What was noted was never said.")
    unchanged = replace(noted, seen=stored.seen, expires=stored.expires, revision=stored.revision)
    if unchanged == stored and noted.seen < stored.seen + REFRESH:
        return Decision(Action.IGNORE, stored, reason)
    return Decision(Action.FOLD, noted, reason)


def _fits(untold: Untold, finding: Finding) -> bool:
    return (untold.status is Status.SOLVED) == (finding.status is Status.SOLVED)


def _noted(stored: Incident, finding: Finding, *, solves: bool = True) -> Incident:
    counted = stored.occurrences
    if len(counted) < MOST_COUNTED:
        counted |= {occurrence_of(finding)}
    solution = finding.when if solves and finding.status is Status.SOLVED else None
    return replace(
        stored,
        kinds=stored.kinds | {finding.kind.value},
        severity=max(stored.severity, _weight(finding, stored), key=lambda weight: weight.rank),
        seen=max(stored.seen, finding.when),
        solved=max(filter(None, (stored.solved, solution)), default=None),
        occurrences=counted,
        expires=max(stored.expires, _expiry(finding, finding.when)),
        revision=stored.revision + 1,
    )


def _weight(finding: Finding, stored: Incident) -> Severity:
    """A solution does not make an incident more severe."""
    return stored.severity if finding.status is Status.SOLVED else finding.severity


def _saying(
    incident: Incident, finding: Finding, status: Status, now: datetime, reason: str
) -> Decision:
    noted = replace(incident, untold=Untold(status, occurrence_of(finding), now))
    return Decision(_SAYS[status], noted, reason)


def _expiry(finding: Finding, now: datetime) -> datetime:
    return max(finding.when, now) + KINDS[Kind(finding.kind)].quiet


def _digest(topic: str) -> str:
    return hashlib.sha256(topic.encode()).hexdigest()[:12]
