"""What an engine answers whose users can have one password only."""

from contextlib import AbstractContextManager
from typing import Never

from rekey.errors import UnsupportedStrategy
from rekey.ports import OnePassword, TwoPasswords


class OnePasswordOnly:
    """The part of Connection that is about two passwords, refused."""

    def alone(self, username: str) -> AbstractContextManager[None]:
        """See Connection."""
        del username
        _refuse()

    def check_two_passwords(self, username: str, *, all_hosts: bool) -> None:
        """See Connection."""
        del username, all_hosts
        _refuse()

    def set_two_passwords(self, change: TwoPasswords) -> None:
        """See Connection."""
        del change
        _refuse()

    def retire(self, change: OnePassword) -> None:
        """See Connection."""
        del change
        _refuse()


def _refuse() -> Never:
    raise UnsupportedStrategy("A user of this engine can have one password only.")
