"""When an incident is over: it went quiet, or somebody has said that all of it is meant."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from rekey.access.judge import Incident, incident
from rekey.access.ports import Agenda, Memory
from rekey.access.signal import Signal
from rekey.access.suppression import EVERYTHING, Suppression, parsed
from rekey.access.telling import closing
from rekey.access.thresholds import Thresholds
from rekey.alerts.finding import Finding
from rekey.alerts.incidents import Decision
from rekey.alerts.text import quoted
from rekey.known import HOUR


@dataclass(frozen=True)
class Closing:
    """A look at the open incidents. ``suppressions`` are documents as they stand in the table."""

    agenda: Agenda
    memory: Memory
    suppressions: Callable[[], Iterable[Mapping[str, Any]]]
    report: Callable[[Finding], Decision]
    thresholds: Thresholds = field(default_factory=Thresholds)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def run(self) -> int:
        """Close what is over; return how many. Raises StateTableFailure or AlertNotDelivered.

        What was reported and not yet dropped is reported once more, which tells nothing new.
        """
        entries, now, closed = list(self.agenda.all()), self.now(), 0
        known = self.memory.load((entry.key for entry in entries), latest=True)
        meant = [parsed(document) for document in self.suppressions()] if entries else []
        for entry in entries:
            found = incident(known[entry.key]) if entry.key in known else None
            why = over(found, meant, int(now.timestamp()), self.thresholds) if found else None
            if found and why:
                self.report(closing(found, why, now))
                self.agenda.drop(entry)
                closed += 1
        return closed


def over(
    found: Incident, meant: Iterable[Suppression], now: int, thresholds: Thresholds
) -> str | None:
    """Return why an incident is over; None if it is not."""
    if now - found.last >= thresholds.quiet:
        return f"Closed: nothing unusual for {thresholds.quiet // HOUR} hours."
    whole = [one for one in meant if _means_all(one, found)]
    covered = [next((one for one in whole if one.covers(s)), None) for s in _as_now(found, now)]
    first = covered[0] if covered and None not in covered else None
    if first is None:
        return None
    return f"Closed: suppressed by {quoted(first.owner)}, {quoted(first.reason)}."


def _means_all(one: Suppression, found: Incident) -> bool:
    """Whether it is about every secret of an incident, which keeps one reason of a kind.

    Of many secrets an incident names some: nobody knows whether the others are meant.
    """
    if one.secret == EVERYTHING:
        return True
    named = found.count == len(found.secrets)
    return named and all(fnmatchcase(secret, one.secret) for secret in found.secrets)


def _as_now(found: Incident, now: int) -> list[Signal]:
    """What it holds, as if it were seen at this moment: a suppression says how long it counts."""
    return [
        Signal(r.kind, r.weight, found.principal, now, r.what, r.baseline, r.observed, r.secret)
        for r in found.reasons
    ]
