"""What the enumeration needs of a kind of server, besides what any test needs of it."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Any

from rekey.credential import Credential
from tests.database import Server
from tests.faults.effects import Effects

RIGHTS = 2
"""How many rights a target can give the base user, and take away again."""


class Target(ABC):
    """A running server of one kind, whose users are rotated and whose driver is watched.

    It is one that this run has started: it gets restarted.
    """

    running: Any

    @property
    @abstractmethod
    def name(self) -> str:
        """What the secret's key ``engine`` says."""

    @property
    @abstractmethod
    def title(self) -> str:
        """Product and version, as the table shows them."""

    @property
    @abstractmethod
    def address(self) -> tuple[str, int]:
        """Host and port."""

    @abstractmethod
    def observed(self, effects: Effects) -> AbstractContextManager[None]:
        """Put ``effects`` between the engine and its driver: every login and every statement.

        What happens meanwhile happens in the same thread, so it waits for locks that nobody gives
        up: the engine's patience is cut down too.
        """

    @abstractmethod
    def changes_a_login(self, statement: str) -> bool:
        """Whether somebody may get in after it who did not before, or no longer does."""

    @abstractmethod
    def server(self, base: str, password: str, port: int | None = None) -> Server:
        """The server with a user of its own; at another port, if something stands in between."""

    @abstractmethod
    def create_superuser(self, server: Server, name: str, password: str) -> None:
        """Create one that may do what rotations need."""

    @abstractmethod
    def empower(self, server: Server, superuser: str, *, enough: bool) -> None:
        """Let it have all the rights that rotations need, or too few."""

    def repair(self, server: Server, superuser: str, *, clone_in_use: bool) -> None:
        """Do what the errors have asked for, so that a rotation can end right.

        What the clone has while it is in use is given to the base user too.
        """
        self.empower(server, superuser, enough=True)
        for number in range(RIGHTS if clone_in_use else 0):
            self.grant(server, number)

    @abstractmethod
    def give_rights(self, server: Server, superuser: str) -> None:
        """Give the base user rights of every kind before its first rotation."""

    @abstractmethod
    def change_rights(self, server: Server, *, clone_in_use: bool) -> None:
        """Give it others as well; take some away if the clone, which is not in use, may lose them.

        What ``lacks`` asks for stays.
        """

    @abstractmethod
    def lacks(self, server: Server, current: Credential) -> list[str] | None:
        """What the base user may do from its first rights on, and AWSCURRENT now may not, tried.

        None if it does not even log in.
        """

    @abstractmethod
    def grant(self, server: Server, number: int) -> None:
        """Give the base user one of the RIGHTS."""

    @abstractmethod
    def revoke(self, server: Server, number: int) -> None:
        """Take it away; it may not have it."""

    @abstractmethod
    def differs(self, server: Server, current: Credential) -> list[str]:
        """What the user in AWSCURRENT may do more or less than the base user, in words."""

    @abstractmethod
    def is_locked(self, server: Server) -> bool:
        """Whether the server still holds something for a function that is gone."""

    @abstractmethod
    def drop(self, server: Server, superuser: str) -> None:
        """Drop the user, its clone and the superuser."""
