"""What watching needs of the outside world. Adapters under ``aws`` provide it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from rekey.access.judge import Incident
from rekey.known import Item, Key, Open


class Memory(Protocol):
    """The table of what is known. All methods raise StateTableFailure."""

    def load(self, keys: Iterable[Key], *, latest: bool = False) -> Mapping[Key, Item]:
        """Return those items that exist and have not expired.

        Without ``latest``, a write of the last moment may be missing: saving finds out.
        """
        ...

    def save(self, item: Item) -> bool:
        """Put the item if the table's is still of ``item.revision``; return whether it was."""
        ...

    def readers(self, secret: str) -> frozenset[str]:
        """Return the principals that are known to read a secret."""
        ...


class Rotations(Protocol):
    """What the table knows about rotations and who reads. All methods raise StateTableFailure."""

    def reading(self, secret: str) -> tuple[Item | None, Sequence[Item]]:
        """Return what is known of a secret, and of each reader: of ``MOST_READERS`` at most."""
        ...

    def rotations(self) -> Sequence[Item]:
        """Return the promotions whose consumers have not all been seen to renew."""
        ...

    def save(self, item: Item) -> bool:
        """See Memory."""
        ...

    def forget(self, key: Key) -> None:
        """Delete an item, if there is one."""
        ...


class Surroundings(Protocol):
    """What no record says. What may not be seen is unknown.

    Where there was no answer: SecretsManagerFailure, LambdaFailure, IamFailure, StateTableFailure.
    """

    def decoys(self) -> frozenset[str]:
        """Return the secrets with the tag ``rekey:decoy``."""
        ...

    def ours(self) -> frozenset[str]:
        """Return the roles of this stack's functions, which do what nobody else does."""
        ...

    def rotator(self, secret: str) -> str | None:
        """Return the role of the function that rotates a secret; None if nobody knows it."""
        ...

    def role_made(self, arn: str) -> int | None:
        """Return when a role was made (epoch); None if it is gone or may not be seen."""
        ...

    def suppressions(self) -> Iterable[Mapping[str, Any]]:
        """Return what people have decided not to be told about, as it stands in the table."""
        ...


class Agenda(Protocol):
    """Incidents that people were told of and that have not ended. Raises StateTableFailure."""

    def note(self, entry: Open) -> None:
        """Put it on the agenda, in the place of what stands there of the same incident."""
        ...

    def all(self) -> Iterable[Open]:
        """Return those that are on it."""
        ...

    def drop(self, entry: Open) -> None:
        """Take it off, unless it was noted with another occurrence since."""
        ...


class Teller(Protocol):
    """Tells people. Called again for the same occurrence, it tells them nothing new."""

    def tell(self, incident: Incident) -> None:
        """Return once it is certain that they hear of it."""
        ...
