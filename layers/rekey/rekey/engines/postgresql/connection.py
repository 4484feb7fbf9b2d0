"""One login as the rotation core sees it. Loads the driver."""

import ssl
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

from rekey.credential import Credential
from rekey.engines.one_password import OnePasswordOnly
from rekey.engines.postgresql import peer
from rekey.engines.postgresql.roles import effective_role
from rekey.engines.postgresql.session import Session
from rekey.engines.postgresql.verifier import alter_password
from rekey.errors import PrivilegesDiffer
from rekey.model import Deadline
from rekey.ports import PeerChange


class PostgresqlConnection(OnePasswordOnly):
    """One login on a PostgreSQL server."""

    def __init__(self, session: Session, open_database: Callable[[str], Session]) -> None:
        self._session = session
        self._open_database = open_database

    @classmethod
    def open(
        cls, credential: Credential, port: int, context: ssl.SSLContext | None, deadline: Deadline
    ) -> Self:
        """Log in. Without ``context`` the connection is in clear."""

        def open_database(name: str) -> Session:
            return Session.open(replace(credential, dbname=name), port, context, deadline)

        return cls(Session.open(credential, port, context, deadline), open_database)

    def set_password(self, username: str, password: str, *, all_hosts: bool = False) -> None:
        """See Connection. A role has no host."""
        del all_hosts
        with self._session.transaction(lock=username):
            alter_password(self._session, username, password)

    def check_own_password(self, *, all_hosts: bool) -> None:
        """See Connection. Every server that is supported lets a user do that by a hash."""

    def provide_peer(self, change: PeerChange) -> None:
        """See Connection. One transaction: all of it happens or nothing.

        What the clone owns in other databases is handed over before, a transaction each.
        """
        with self._session.transaction(lock=change.base):
            peer.provide(self._session, change, self._open_database)

    def check_identity(self, username: str, acts_as: str) -> None:
        """See Connection. ``acts_as`` may itself have a ``role`` setting; then that one counts."""
        effective = effective_role(self._session, acts_as)
        if (self._session.login_name, self._session.acts_as) != (username, effective):
            raise PrivilegesDiffer(
                f"The login {self._session.login_name} acts as {self._session.acts_as}, not as "
                f"{effective}: its membership was revoked or its setting changed. Start a new "
                "rotation, which repairs that."
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
