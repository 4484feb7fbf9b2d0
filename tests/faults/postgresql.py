"""PostgreSQL, as the enumeration breaks it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pg8000.native

from local.postgres import Postgres
from local.postgres_address import PostgresAddress
from rekey.credential import Credential
from rekey.engines.postgresql import session
from rekey.errors import RekeyError
from tests.database import Server
from tests.faults.effects import Effects, Kind
from tests.faults.target import Target
from tests.postgres_database import PostgresServer

REFUSED = "28P01"
ROLES = ("pg_monitor", "pg_read_all_data")


def _refused(error: Exception) -> bool:
    return isinstance(error, pg8000.native.DatabaseError) and error.args[0].get("C") == REFUSED


@dataclass
class PostgresTarget(Target):
    """See Target."""

    running: Postgres

    @property
    def name(self) -> str:
        return "postgres"

    @property
    def title(self) -> str:
        return f"PostgreSQL {self.running.version}"

    @property
    def address(self) -> tuple[str, int]:
        return self.running.host, self.running.port

    @contextmanager
    def observed(self, effects: Effects) -> Iterator[None]:
        original, patience = pg8000.native.Connection, session.LOCK_MILLISECONDS

        class Observed(original):  # type: ignore[misc, valid-type]  # the driver has no types
            def __init__(self, user: str, **options: Any) -> None:
                connect = super().__init__
                effects.log_in(lambda: connect(user, **options), self, user, _refused)

            def run(self, sql: str, **options: Any) -> Any:
                run = super().run
                return effects.happen(Kind.STATEMENT, sql, lambda: run(sql, **options))

        pg8000.native.Connection, session.LOCK_MILLISECONDS = Observed, 100
        try:
            yield
        finally:
            pg8000.native.Connection, session.LOCK_MILLISECONDS = original, patience

    def changes_a_login(self, statement: str) -> bool:
        return statement == "COMMIT"

    def server(self, base: str, password: str, port: int | None = None) -> PostgresServer:
        one = self.running
        if port is None:
            return PostgresServer(one, base, password)
        at = PostgresAddress(one.host, port, one.superuser, one.password, one.ca_file)
        return PostgresServer(at, base, password)

    def create_superuser(self, server: Server, name: str, password: str) -> None:
        server.create_user(name, password)
        server.execute(f"ALTER ROLE {name} CREATEROLE")
        self.empower(server, name, enough=True)

    def empower(self, server: Server, superuser: str, *, enough: bool) -> None:
        if enough:
            server.execute(f"GRANT {server.base} TO {superuser} WITH ADMIN OPTION")
        else:
            server.execute(f"REVOKE ADMIN OPTION FOR {server.base} FROM {superuser} CASCADE")

    def repair(self, server: Server, superuser: str) -> None:
        super().repair(server, superuser)
        # What was revoked with CASCADE took along what it had granted. The error says: grant it.
        if server.execute(f"SELECT FROM pg_roles WHERE rolname = '{server.clone}'"):
            server.execute(f"GRANT {server.base} TO {server.clone}")

    def grant(self, server: Server, number: int) -> None:
        server.execute(f"GRANT {ROLES[number]} TO {server.base}")

    def revoke(self, server: Server, number: int) -> None:
        server.execute(f"REVOKE {ROLES[number]} FROM {server.base}")

    def differs(self, server: Server, current: Credential) -> list[str]:
        with server.connect(current.username, current.password) as connection:
            try:
                connection.check_identity(current.username, server.base)
            except RekeyError as error:
                return [str(error)]
        return []

    def is_locked(self, base: str) -> bool:
        held = (
            "SELECT count(*) FROM pg_stat_activity"
            f" WHERE usename ~ '^{base}' AND state LIKE 'idle in transaction%'"
        )
        return bool(self.running.execute(held)[0][0])

    def drop(self, server: Server, superuser: str) -> None:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE usename ~ '^{server.base}'"
        )
        server.drop_users(server.clone, superuser, server.base)
