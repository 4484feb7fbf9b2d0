"""Very many findings that are alike: the first ones one by one, and all others in one message.

A function that somebody deleted makes thousands of rotations overdue. Nobody reads thousands of
messages, and whoever has to leaves the topic. So what comes after the first ones of a kind and a
day goes on as events for programs, and people get the count, some names and where the rest is.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from rekey.alerts import topics
from rekey.alerts.finding import Finding, Kind, Status
from rekey.alerts.incidents import Decision
from rekey.alerts.kinds import KINDS
from rekey.alerts.text import quoted
from rekey.crowd import ONE_BY_ONE, Alike, Crowd, Crowds
from rekey.incident import Severity

QUIET = timedelta(minutes=10)
"""Without another one: then the count is worth telling."""

LONGEST = timedelta(hours=1)
"""After that it is told though it still rises."""

DOUBLED = 2
"""People are told again when there are so many times as many, and when the day is over."""

_NAME = 60


def alike(finding: Finding, now: datetime) -> Alike | None:
    """Return with what it is counted; None for what never comes in crowds, or not to people."""
    if finding.secret is None or not finding.for_people:
        return None
    solved = finding.status is Status.SOLVED
    return Alike(now.date(), finding.kind, finding.severity, solved, finding.owner or "")


def name_of(finding: Finding) -> str:
    """Return what people know the secret by."""
    return (finding.secret or "").rpartition(":secret:")[2][:_NAME]


def tell_together(crowds: Crowds, report: Callable[[Finding], Decision], now: datetime) -> int:
    """Report every crowd that people have to hear of now; how many there were. Safe to repeat."""
    due = [crowd for crowd in _recent(crowds, now) if is_due(crowd, now)]
    for crowd in due:
        report(together(crowd, now))
        crowds.note_told(crowd)
    return len(due)


def is_due(crowd: Crowd, now: datetime) -> bool:
    """Tell whether people know too little of a crowd, and it is time to tell them."""
    if crowd.count <= max(crowd.told, ONE_BY_ONE):
        return False
    if crowd.of.day < now.date():
        return True
    grown = crowd.count - ONE_BY_ONE >= DOUBLED * (crowd.told - ONE_BY_ONE)
    settled = crowd.last + QUIET <= now or crowd.begun + LONGEST <= now
    return settled and grown


def together(crowd: Crowd, now: datetime) -> Finding:
    """Return the one finding that stands for all that were not told one by one."""
    others, title = crowd.count - ONE_BY_ONE, KINDS[Kind(crowd.of.kind)].title
    status = " (solved)" if crowd.of.solved else ""
    some = ", ".join(quoted(name) for name in sorted(crowd.names))
    return Finding(
        kind=Kind.MANY_AT_ONCE,
        topic=topics.crowd(
            f"{crowd.of.day}/{crowd.of.kind}/{crowd.of.severity}{status}", crowd.count
        ),
        occurrence=str(crowd.count),
        when=now,
        what=(
            f"{title}{status}: {crowd.count} secrets on {crowd.of.day} (UTC). You were told of the "
            f"first {ONE_BY_ONE} one by one, and of the other {others} here. Some of them: {some}."
        ),
        owner=crowd.of.owner or None,
        raised=Severity.INFORMATIONAL if crowd.of.solved else crowd.of.severity,
    )


def _recent(crowds: Crowds, now: datetime) -> Iterator[Crowd]:
    """What began before midnight may not have been told in full."""
    for day in (now.date() - timedelta(days=1), now.date()):
        yield from crowds.on(day)
