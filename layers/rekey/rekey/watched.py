"""What the daily sweep looks at, and what it needs of the outside world."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from rekey.model import Label


@dataclass(frozen=True)
class Watched:
    """A secret as ListSecrets and DescribeSecret show it. All times are aware.

    ``replica`` is True for a copy whose rotation is another region's business.
    """

    arn: str
    rotation_enabled: bool
    labels: Mapping[str, frozenset[str]]
    tags: Mapping[str, str]
    changed: datetime
    rotated: datetime | None = None
    due: datetime | None = None
    function: str | None = None
    replica: bool = False

    def holder(self, label: Label) -> str | None:
        """Return the id of the version that carries ``label``."""
        return next((version for version, held in self.labels.items() if label in held), None)


@dataclass(frozen=True)
class Page:
    """Secrets, and the token of the next page; None after the last."""

    secrets: tuple[Watched, ...]
    next_token: str | None


@dataclass(frozen=True)
class Trail:
    """A trail of CloudTrail that covers this region.

    ``selectors`` are those of GetEventSelectors, basic or advanced.
    """

    name: str
    logging: bool
    selectors: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Progress:
    """How far a sweep is: ``token`` of the next page, None if it is over. ``begun`` is aware."""

    begun: datetime
    token: str | None
    secrets: int = 0
    findings: int = 0


@dataclass(frozen=True)
class Canary:
    """When a canary secret was last read by the sweep, and when such a read last arrived."""

    read: datetime | None = None
    seen: datetime | None = None


class Secrets(Protocol):
    """All secrets of the account and region. Methods raise SecretsManagerFailure.

    Of a single one they raise SecretAccessDenied if its own policy, or its key's, lets nobody ask.
    """

    def page(self, token: str | None) -> Page | None:
        """ListSecrets, 100 at a time. None if the service takes the token no more."""
        ...

    def look(self, arn: str) -> Watched | None:
        """DescribeSecret: newer than the list may be. None if it is gone or is being deleted."""
        ...

    def read(self, arn: str) -> None:
        """GetSecretValue of a canary, for the record that this makes. The value is dropped."""
        ...


class Trails(Protocol):
    """CloudTrail's configuration. Methods raise CloudTrailFailure."""

    def here(self) -> tuple[Trail, ...]:
        """Return the trails that cover this region, also those of the organisation."""
        ...


class SweepMemory(Protocol):
    """Where a sweep notes how far it is. Methods raise StateTableFailure."""

    def progress(self) -> Progress | None:
        """Return what was noted last."""
        ...

    def note(self, progress: Progress) -> None:
        """Note how far the sweep is."""
        ...

    def canary(self, arn: str) -> Canary:
        """Return what is known of a canary."""
        ...

    def note_read(self, arn: str, at: datetime) -> None:
        """Note that the canary is about to be read."""
        ...
