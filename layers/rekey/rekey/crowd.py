"""Findings of one kind about very many secrets on one day, and where they are counted."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from rekey.incident import Severity

ONE_BY_ONE = 20
"""Messages of one kind, severity, status and owner in a day (UTC), before they come together."""

NAMED = 10
"""Names that are kept of the others. With their bounded length, a message has room for so many."""


@dataclass(frozen=True)
class Alike:
    """What findings have in common that are told together. ``owner`` may be empty."""

    day: date
    kind: str
    severity: Severity
    solved: bool
    owner: str


@dataclass(frozen=True)
class Crowd:
    """What is known about findings that are alike. Times are aware.

    ``count`` is how many there were, ``last`` when the last one came. ``names`` are some of those
    that people were not told of one by one, ``begun`` is when the first of these came. ``told`` is
    the count that people know; 0 if they were told of none of them together.
    """

    of: Alike
    count: int
    names: frozenset[str]
    begun: datetime
    last: datetime
    told: int = 0


class Crowds(Protocol):
    """Where they are counted. Methods raise StateTableFailure."""

    def join(self, of: Alike, name: str, now: datetime) -> int:
        """Count one more, and return its place: 1 for the first of the day.

        ``name`` is kept of some, beginning with those that people are not told of one by one.
        """
        ...

    def on(self, day: date) -> tuple[Crowd, ...]:
        """Return all of a day."""
        ...

    def note_told(self, crowd: Crowd) -> None:
        """Note that people know of ``crowd.count``."""
        ...
