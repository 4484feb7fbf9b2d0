"""Once a week: what people have decided not to see, and what they were told and still stands."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rekey.access.suppression import Suppression, hidden_key, parsed
from rekey.alerts import topics
from rekey.alerts.finding import Finding, Kind, Reason, Status
from rekey.alerts.text import quoted
from rekey.known import DAY, FULL, Item, Key

WEEK = 7 * DAY
MOST_LISTED = 8
"""Suppressions that a message lists; the command lists all."""
MOST_NAMED = 3
LIST = 'make suppressions OPTIONS="list"'


@dataclass(frozen=True)
class Digest:
    """Where it comes from: ``halted`` names the secrets with the tag ``rekey:halted``.

    ``suppressions`` and ``hidden`` raise StateTableFailure, ``halted`` SecretsManagerFailure.
    """

    suppressions: Callable[[], Iterable[Mapping[str, Any]]]
    hidden: Callable[[Iterable[Key]], Mapping[Key, Item]]
    halted: Callable[[], Sequence[str]]

    def __call__(self, blind: Iterable[Finding], place: str, now: datetime) -> Finding | None:
        """Return this week's digest; None if there is nothing to list."""
        at = int(now.timestamp())
        known = sorted(map(parsed, self.suppressions()), key=lambda one: (one.expires, one.name))
        listed = [one for one in known if one.expires > at - WEEK]
        halted = tuple(self.halted())
        blindness = [one for one in blind if one.status is Status.OPEN]
        if not (listed or halted or blindness):
            return None
        counts = self.hidden([hidden_key(one.name) for one in listed])
        return _finding(_Standing(listed, counts, halted, blindness, at), place, now)


def is_new_week(last: datetime, now: datetime) -> bool:
    """Whether a week (ISO 8601, UTC) has begun since."""
    return last.astimezone(UTC).isocalendar()[:2] != now.isocalendar()[:2]


@dataclass(frozen=True)
class _Standing:
    suppressions: Sequence[Suppression]
    counts: Mapping[Key, Item]
    halted: Sequence[str]
    blindness: Sequence[Finding]
    at: int

    @property
    def what(self) -> str:
        ended = sum(one.expires <= self.at for one in self.suppressions)
        return (
            f"Suppressions in force: {len(self.suppressions) - ended}, "
            f"ended within a week: {ended}. Halted secrets: {len(self.halted)}. "
            f"Ways in which Rekey is blind: {len(self.blindness)}."
        )

    def reasons(self) -> Iterator[Reason]:
        if self.halted:
            more = len(self.halted) - MOST_NAMED
            named = ", ".join(arn.rpartition(":secret:")[2] for arn in self.halted[:MOST_NAMED])
            seen = f"{named} and {more} more" if more > 0 else named
            yield Reason("Secrets that wait for a person", "none", quoted(seen))
        if self.blindness:
            kinds = ", ".join(one.kind.value for one in self.blindness)
            yield Reason("Rekey sees not everything", "it does", kinds)
        # One line takes the place of those for which there is no room.
        room = MOST_LISTED if len(self.suppressions) <= MOST_LISTED else MOST_LISTED - 1
        yield from map(self._reason, self.suppressions[:room])
        if self.suppressions[room:]:
            yield Reason(f"{len(self.suppressions[room:])} more suppressions", "listed here", LIST)

    def _reason(self, one: Suppression) -> Reason:
        day = datetime.fromtimestamp(one.expires, UTC).strftime("%Y-%m-%d")
        end = f"ended {day}" if one.expires <= self.at else f"until {day}"
        kinds = ", ".join(sorted(one.kinds)) or "every kind"
        return Reason(
            f"Suppression {_short(one.name)} of {_short(one.owner)}, {end}: {_short(one.reason)}",
            f"{kinds} of {_short(one.principal)} is told",
            f"not told: {self._hidden(one)}",
        )

    def _hidden(self, one: Suppression) -> str:
        item = self.counts.get(hidden_key(one.name))
        if item is None:
            return "nothing came"
        more = " or more" if FULL in item.members("flags") else ""
        last = datetime.fromtimestamp(item.maxima["last"], UTC).strftime("%Y-%m-%d")
        return f"{len(item.members('marks'))}{more}, the last on {last}"


def _short(text: str) -> str:
    """Whoever writes suppressions chooses it."""
    return quoted(text[:80])


def _finding(standing: _Standing, place: str, now: datetime) -> Finding:
    year, week, _ = now.isocalendar()
    return Finding(
        kind=Kind.WEEKLY_DIGEST,
        topic=topics.digest(f"{year}-W{week:02}", place),
        occurrence="digest",
        when=now,
        what=f"{standing.what} Place: {place}.",
        reasons=tuple(standing.reasons()),
    )
