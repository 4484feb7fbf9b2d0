"""A finding: something that a person should know. Plain values, and never a secret among them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rekey.alerts.kinds import KINDS, Kind, Wording
from rekey.alerts.text import one_line
from rekey.incident import Severity, Status

__all__ = ["Finding", "Kind", "Reason", "Severity", "Status", "Table", "owner_of"]

# With "!": such names are of secrets that other services manage (`rds!cluster-...`).
SECRET_ARN = re.compile(r"arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:[\w/+=.@!-]{1,520}")

_SENTENCE, _VALUE, _NAME = 1000, 250, 120
"""Characters in a text. With the numbers of texts below, a message stays far below SNS's limit."""
_MOST_REASONS, _MOST_STEPS = 10, 10
_CELL, _MOST_COLUMNS, _MOST_ROWS = 150, 4, 20

MOST_COUNTED = 50
"""Occurrences of an incident that are told apart; what is kept of it stays bounded."""

OWNER_TAGS = ("rekey:owner", "owner", "Owner")


@dataclass(frozen=True)
class Reason:
    """Why it was flagged: what is unusual, what is usual, and what was seen instead."""

    what: str
    baseline: str
    observed: str

    def __post_init__(self) -> None:
        for name in ("what", "baseline", "observed"):
            object.__setattr__(self, name, one_line(getattr(self, name), _VALUE))


@dataclass(frozen=True)
class Table:
    """Whom or what it concerns, a line each. ``more`` lines have been left out."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int = 0

    def __post_init__(self) -> None:
        shown = [self.columns, *self.rows[:_MOST_ROWS]]
        columns, *rows = (
            tuple(one_line(cell, _CELL) for cell in row[:_MOST_COLUMNS]) for row in shown
        )
        object.__setattr__(self, "more", self.more + len(self.rows) - len(rows))
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "rows", tuple(rows))


@dataclass(frozen=True)
class Finding:
    """What happened, why it is told, what was done about it, and what to do next.

    It holds ARNs, version ids, names, times and texts about them. Callers never pass a secret's
    value or a server's own words. Every text becomes one line of bounded length without links;
    a value that somebody else chose goes through ``text.quoted`` besides.

    ``topic`` is the same for all that belongs to one incident, such as ``rotation/<ARN>``;
    ``occurrence`` names what happened, so that a repetition is known as such (an event's id, a
    version id). ``raised`` takes the place of the kind's own severity. ``when`` is aware.
    ``incident`` and ``count`` are filled in when it is published; ``count`` ends at MOST_COUNTED.
    ``actor`` is the principal whom it is about; ``others`` are secrets (ARNs) where it is no single
    one.
    """

    kind: Kind
    topic: str
    occurrence: str
    when: datetime
    what: str
    secret: str | None = None
    others: tuple[str, ...] = ()
    actor: str | None = None
    owner: str | None = None
    reasons: tuple[Reason, ...] = ()
    table: Table | None = None
    done: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    raised: Severity | None = None
    status: Status = Status.OPEN
    incident: str = ""
    count: int = 1

    def __post_init__(self) -> None:
        """Keep out what is no ARN, and make every text fit for people."""
        if self.when.tzinfo is None:
            raise ValueError("when must be aware")
        if not all(map(SECRET_ARN.fullmatch, self.secrets)):
            raise ValueError("secret must be an ARN")
        steps = self.next_steps or self._usual_steps()
        clean = {
            "what": one_line(self.what, _SENTENCE),
            "topic": one_line(self.topic, _SENTENCE),
            "owner": one_line(self.owner or "", _NAME) or None,
            "actor": one_line(self.actor or "", _VALUE) or None,
            "reasons": self.reasons[:_MOST_REASONS],
            "done": tuple(one_line(text, _VALUE) for text in self.done[:_MOST_STEPS]),
            "next_steps": tuple(one_line(text, _VALUE) for text in steps[:_MOST_STEPS]),
        }
        for name, value in clean.items():
            object.__setattr__(self, name, value)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets that it is about, as far as they are named."""
        return (self.secret,) if self.secret is not None else self.others

    def _usual_steps(self) -> tuple[str, ...]:
        over = self.status is Status.SOLVED and not self.wording.alone
        return ("Nothing has to be done any more.",) if over else self.wording.next_steps

    @property
    def wording(self) -> Wording:
        """What is said of its kind."""
        return KINDS[self.kind]

    @property
    def for_people(self) -> bool:
        """Whether a person has to hear it: not that something low has gone quiet again."""
        silent = self.wording.fades and self.status is Status.SOLVED
        return not (silent and self.severity.rank <= Severity.LOW.rank)

    @property
    def severity(self) -> Severity:
        """Its own, or that of its kind."""
        return self.raised or self.wording.severity


def owner_of(tags: Mapping[str, str]) -> str | None:
    """Return who a secret's tags say it belongs to."""
    return next((tags[name] for name in OWNER_TAGS if tags.get(name)), None)
