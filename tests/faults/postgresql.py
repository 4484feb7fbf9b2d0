"""PostgreSQL, as the enumeration breaks it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import pg8000.native
import scramp.core

from local.postgres import Postgres
from local.postgres_address import PostgresAddress
from rekey.credential import Credential
from rekey.engines.postgresql import session
from tests.database import Server
from tests.faults.effects import Effects, Kind
from tests.faults.target import Target
from tests.postgres_database import PostgresServer

ROLES = ("pg_monitor", "pg_read_all_data")


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
        iterated = scramp.core.hi

        class Observed(original):  # type: ignore[misc, valid-type]  # the driver has no types
            def __init__(self, user: str, **options: Any) -> None:
                connect = super().__init__
                effects.log_in(lambda: connect(user, **options), self, user, PostgresServer.refuses)

            def run(self, sql: str, **options: Any) -> Any:
                run = super().run
                return effects.happen(Kind.STATEMENT, sql, lambda: run(sql, **options))

        pg8000.native.Connection, session.LOCK_MILLISECONDS = Observed, 100
        # It takes a fifth of a login, and the same password logs in again and again.
        once = cache(iterated)
        scramp.core.hi = lambda *given: once(*given[:-1], int(given[-1]))
        try:
            yield
        finally:
            pg8000.native.Connection, session.LOCK_MILLISECONDS = original, patience
            scramp.core.hi = iterated

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

    def repair(self, server: Server, superuser: str, *, clone_in_use: bool) -> None:
        super().repair(server, superuser, clone_in_use=clone_in_use)
        # What was revoked with CASCADE took along what it had granted. The error says: grant it.
        if server.execute(f"SELECT FROM pg_roles WHERE rolname = '{server.clone}'"):
            server.execute(f"GRANT {server.base} TO {server.clone}")

    def give_rights(self, server: Server, superuser: str) -> None:
        base, group, stray = server.base, f"{server.base}_group", f"{server.base}_stray"
        server.execute(
            f"CREATE SCHEMA {base} AUTHORIZATION {base}",
            f"CREATE TABLE {base}.own (number int)",
            f"ALTER TABLE {base}.own OWNER TO {base}",
            f"CREATE TABLE {base}.by_role (number int)",
            f"CREATE ROLE {group}",
            f"GRANT SELECT ON {base}.by_role TO {group}",
            f"GRANT {group} TO {base}",
            f"CREATE ROLE {stray}",
            f"GRANT {stray} TO {superuser} WITH ADMIN OPTION",
            f"ALTER ROLE {base} SET work_mem = '5MB'",
            f"ALTER ROLE {base} SET search_path = {base}, public",
            f"ALTER ROLE {base} CONNECTION LIMIT 50",
        )

    def change_rights(self, server: Server, *, clone_in_use: bool) -> None:
        """The clone comes to own a table, as one that AWS's template made does."""
        base, clone = server.base, server.clone
        server.execute(
            f"CREATE TABLE {base}.handed_over (number int)",
            f"ALTER TABLE {base}.handed_over OWNER TO {clone}",
            f"GRANT pg_read_all_settings TO {base}",
        )
        if not clone_in_use:
            server.execute(
                f"ALTER ROLE {base} SET work_mem = '6MB'",
                f"ALTER ROLE {base} SET statement_timeout = '1h'",
                f"ALTER ROLE {base} RESET search_path",
                f"ALTER ROLE {base} CONNECTION LIMIT 60",
                f"GRANT {base}_stray TO {clone} GRANTED BY {base}_admin",
            )

    def lacks(self, server: Server, current: Credential) -> list[str] | None:
        base = server.base
        try:
            server.query(
                current.username,
                current.password,
                f"INSERT INTO {base}.own VALUES (1)",
                f"SELECT * FROM {base}.by_role",
                f"SELECT 1 / (current_user = '{base}')::int",
            )
        except pg8000.native.DatabaseError as error:
            return None if server.refuses(error) else [str(error)]
        return []

    def grant(self, server: Server, number: int) -> None:
        server.execute(f"GRANT {ROLES[number]} TO {server.base}")

    def revoke(self, server: Server, number: int) -> None:
        server.execute(f"REVOKE {ROLES[number]} FROM {server.base}")

    def differs(self, server: Server, current: Credential) -> list[str]:
        has, should = (self._rights(server, name) for name in (current.username, server.base))
        return [f"{right} differs" for right in sorted(has ^ should)]

    def _rights(self, server: Server, name: str) -> set[str]:
        """Attributes, settings, roles and whether it owns anything but the base user's things."""
        attributes = server.execute(
            "SELECT rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication,"
            f" rolbypassrls, rolconnlimit, rolvaliduntil FROM pg_roles WHERE rolname = '{name}'"
        )
        settings = server.execute(
            "SELECT setdatabase, unnest(setconfig) FROM pg_db_role_setting"
            f" WHERE setrole = '{name}'::regrole"
        )
        roles = server.execute(
            f"SELECT rolname FROM pg_roles WHERE pg_has_role('{name}', oid, 'USAGE')"
            f" AND rolname NOT IN ('{server.base}', '{server.clone}')"
        )
        owned = server.execute(
            f"SELECT relname FROM pg_class WHERE relowner = '{name}'::regrole"
            f" AND '{name}' <> '{server.base}'"
        )
        acts_as = f"role={server.base}"
        return {
            *(f"the attributes {row}" for row in attributes),
            *(f"the setting {row}" for row in settings if row[1] != acts_as),
            *(f"the role {row}" for row in roles),
            *(f"owning {row}" for row in owned),
        }

    def is_locked(self, server: Server) -> bool:
        held = (
            "SELECT count(*) FROM pg_stat_activity"
            f" WHERE usename ~ '^{server.base}' AND state LIKE 'idle in transaction%'"
        )
        return bool(server.execute(held)[0][0])

    def drop(self, server: Server, superuser: str) -> None:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE usename ~ '^{server.base}'"
        )
        roles = (f"{server.base}_group", f"{server.base}_stray")
        server.drop_users(server.clone, superuser, server.base, *roles)
