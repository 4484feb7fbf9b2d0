"""The engine as the rotation core sees it."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from rekey.credential import Credential
from rekey.engines.postgresql import peer
from rekey.engines.postgresql.roles import effective_role
from rekey.engines.postgresql.session import Session
from rekey.engines.postgresql.verifier import alter_password
from rekey.engines.tls import verified_context
from rekey.errors import PrivilegesDiffer
from rekey.model import Deadline, Strategy
from rekey.ports import PeerChange


class PostgresqlConnection:
    """One login on a PostgreSQL server."""

    def __init__(self, session: Session, open_database: Callable[[str], Session]) -> None:
        self._session = session
        self._open_database = open_database

    def set_password(self, username: str, password: str) -> None:
        """See Connection. The user may have a ``role`` setting: go back to the login itself."""
        with self._session.transaction(lock=username):
            self._session.run("SET LOCAL ROLE NONE")
            alter_password(self._session, username, password)

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


@dataclass(frozen=True)
class PostgresqlEngine:
    """See Engine. ``tls_context`` is made only when a connection needs it."""

    tls_context: Callable[[], ssl.SSLContext] = verified_context
    name: str = field(default="postgresql", init=False)
    names: frozenset[str] = field(default=frozenset({"postgres", "aurora-postgresql"}), init=False)
    strategies: frozenset[Strategy] = field(
        default=frozenset({Strategy.SINGLE_USER, Strategy.ALTERNATING_USERS}), init=False
    )
    clone_suffix: str = field(default="_clone", init=False)
    max_username_bytes: int = field(default=63, init=False)
    default_port: int = field(default=5432, init=False)

    def connect(self, credential: Credential, deadline: Deadline) -> PostgresqlConnection:
        """See Engine."""
        port = credential.port or self.default_port
        context = self.tls_context() if credential.tls else None

        def open_database(name: str) -> Session:
            return Session.open(replace(credential, dbname=name), port, context, deadline)

        return PostgresqlConnection(
            Session.open(credential, port, context, deadline), open_database
        )
