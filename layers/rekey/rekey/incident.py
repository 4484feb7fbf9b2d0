"""An incident as it is kept, what is said about it, and what alerts need of the outside world."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import Any, Protocol


@unique
class Severity(StrEnum):
    """How much a person should hurry; in rising order."""

    INFORMATIONAL = "informational"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """For comparison: the names would compare as text."""
        return tuple(Severity).index(self)


@unique
class Status(StrEnum):
    """What a message says about its incident."""

    OPEN = "open"
    UPDATED = "updated"
    SOLVED = "solved"


@dataclass(frozen=True)
class Untold:
    """A message that was decided on and of which nobody knows whether it has left.

    ``occurrence`` is the one that caused it, ``since`` when it was decided (aware), and ``place``
    which one it is of its kind today.
    """

    status: Status
    occurrence: str
    since: datetime
    place: int = 1


@dataclass(frozen=True)
class Incident:
    """What is known about one incident, bounded in size. All times are aware.

    ``topic`` is what it is about, and the key in the table; ``id`` names this one episode of it.
    ``occurrences`` are what has been counted, up to a limit. After ``expires`` it counts for
    nothing, whether the table has deleted it or not.
    """

    topic: str
    id: str
    kinds: frozenset[str]
    severity: Severity
    opened: datetime
    seen: datetime
    expires: datetime
    solved: datetime | None = None
    occurrences: frozenset[str] = frozenset()
    untold: Untold | None = None
    revision: int = 1


class IncidentStore(Protocol):
    """The table of incidents. All methods raise StateTableFailure."""

    def get(self, topic: str) -> Incident | None:
        """Return what was last put; None if nothing was, or it has expired and is gone."""
        ...

    def get_many(self, topics: Collection[str]) -> Mapping[str, Incident]:
        """Return those that exist, by topic."""
        ...

    def put(self, incident: Incident, *, replaces: Incident | None) -> bool:
        """Store, if what is stored is still what ``replaces`` says.

        Return False, changing nothing, if another revision stands there by now.
        """
        ...


@dataclass(frozen=True)
class Message:
    """One message, rendered for everybody who may get it.

    ``bodies`` by SNS protocol, with ``default``; ``attributes`` for filter policies. ``document``
    is the finding as plain JSON: the detail of an event whose type is ``detail_type``. What is not
    ``for_people`` is that event and nothing else. ``ocsf`` is the finding in that format, the
    detail of one more event; empty if nobody asked for it.
    """

    subject: str
    bodies: Mapping[str, str]
    attributes: Mapping[str, str]
    detail_type: str
    document: str
    for_people: bool = True
    ocsf: str = ""


@dataclass(frozen=True)
class Place:
    """Where a stack stands."""

    partition: str
    region: str
    account: str

    @classmethod
    def of(cls, arn: str) -> "Place":
        """Return where what the ARN names stands."""
        _, partition, _, region, account, _ = arn.split(":", 5)
        return cls(partition, region, account)


class Hub(Protocol):
    """AWS Security Hub in the place where the stack is."""

    place: Place

    def take(self, finding: Mapping[str, Any]) -> None:
        """Import a finding in ASFF. Never raises: people have been told, and are not told twice."""
        ...


class Channel(Protocol):
    """Where messages go. Saying one twice is harmless, losing one is not."""

    def publish(self, message: Message) -> None:
        """Return once everybody's copy was accepted. Raises AlertNotDelivered."""
        ...


@dataclass(frozen=True)
class Recovery:
    """What is counted of a recovery.

    ``seconds`` passed from the failure's event to the login with AWSCURRENT that verified the
    recovery; None if there was no such event or no such login.
    """

    action: str
    outcome: str
    seconds: float | None
