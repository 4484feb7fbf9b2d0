"""One login as the rotation core sees it. Loads the driver."""

import hashlib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

from rekey.credential import Credential
from rekey.engines.mysql import dual, own, peer
from rekey.engines.mysql.session import LOCK_SECONDS, Session
from rekey.errors import LockTimeout, PrivilegesDiffer, RekeyError
from rekey.model import Deadline
from rekey.ports import OnePassword, PeerChange, TwoPasswords


class MysqlConnection:
    """One login on a MySQL or MariaDB server."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @classmethod
    def open(
        cls, credential: Credential, port: int, context: ssl.SSLContext | None, deadline: Deadline
    ) -> Self:
        """Log in. Without ``context`` the connection is in clear."""
        return cls(Session.open(credential, port, context, deadline))

    def set_password(self, username: str, password: str, *, all_hosts: bool = False) -> None:
        """See Connection."""
        self._session.check_writable()
        with self.alone(username):
            own.set_password(self._session, username, password, all_hosts=all_hosts)

    def check_own_password(self, *, all_hosts: bool) -> None:
        """See Connection."""
        self._session.check_writable()
        own.check(self._session, all_hosts=all_hosts)

    def provide_peer(self, change: PeerChange) -> None:
        """See Connection."""
        self._session.check_writable()
        with self.alone(change.base), self.alone(change.clone):
            peer.provide(self._session, change)

    @contextmanager
    def alone(self, username: str) -> Iterator[None]:
        """See Connection. The server gives the lock back when the connection ends."""
        name = lock_name(username)
        if self._session.run("SELECT GET_LOCK(%s, %s)", name, LOCK_SECONDS)[0][0] != 1:
            raise LockTimeout(
                f"Another session on {self._session.server} is changing the passwords of "
                f"{username}: wait until it is done."
            )
        try:
            yield
        finally:
            with suppress(RekeyError):  # The connection is gone, and the lock with it.
                self._session.run("SELECT RELEASE_LOCK(%s)", name)

    def check_two_passwords(self, username: str, *, all_hosts: bool) -> None:
        """See Connection."""
        dual.check(self._session, username, all_hosts=all_hosts)

    def set_two_passwords(self, change: TwoPasswords) -> None:
        """See Connection."""
        for account in dual.check(self._session, change.username, all_hosts=change.all_hosts):
            dual.give_two(self._session, account, change.current, change.pending)

    def retire(self, change: OnePassword) -> None:
        """See Connection."""
        for account in dual.check(self._session, change.username, all_hosts=change.all_hosts):
            dual.leave_one(self._session, account, change.password)

    def check_identity(self, username: str, acts_as: str) -> None:
        """See Connection. On these servers a user acts as itself alone."""
        del acts_as
        if self._session.login_name != username:
            raise PrivilegesDiffer(
                f"The login {username} is served by the account {self._session.login_name}"
                f"@{self._session.login_host}: drop that one, or start a new rotation."
            )

    def close(self) -> None:
        """See Connection."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def lock_name(username: str) -> str:
    """Return the lock's name: MySQL takes no more than 64 characters, in lower case."""
    return "rekey:" + hashlib.sha256(username.encode()).hexdigest()[:40]
