"""MySQL and MariaDB, as the enumeration breaks them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pymysql

from local.mysql import Mysql
from local.mysql_address import MysqlAddress
from rekey.credential import Credential
from rekey.engines.mysql import connection as engine
from rekey.engines.mysql import session
from tests.database import Server
from tests.faults.effects import Effects, Kind
from tests.faults.target import Target
from tests.mysql_database import MysqlServer

CHANGES = ("ALTER USER", "CREATE USER", "DROP USER", "SET PASSWORD")
DATABASE = "rekey_faults"
PRIVILEGES = ("SELECT", "INSERT")
TABLES = ("by_table", "by_role", "later")
KEPT = (
    f"SELECT * FROM {DATABASE}.by_table",
    f"SELECT * FROM {DATABASE}.by_role",
    f"CREATE TEMPORARY TABLE {DATABASE}.own (number INT)",
)
"""By a right on a table, through a role that the login starts with, by a right on a database."""
DEFAULT_ROLE = re.compile(r" DEFAULT ROLE (.+?) REQUIRE ")
PATIENCE = 1
"""Seconds, the least that these servers know."""


def _without_password(grant: str) -> str:
    """MariaDB shows the hash with the rights on everything."""
    return grant.partition(" IDENTIFIED ")[0]


@dataclass
class MysqlTarget(Target):
    """See Target."""

    running: Mysql

    def __post_init__(self) -> None:
        tables = (f"CREATE TABLE IF NOT EXISTS {DATABASE}.{name} (number INT)" for name in TABLES)
        self.running.execute(f"CREATE DATABASE IF NOT EXISTS {DATABASE}", *tables)

    @property
    def name(self) -> str:
        return self.running.name

    @property
    def title(self) -> str:
        product = "MariaDB" if self.running.mariadb else "MySQL"
        return f"{product} {'.'.join(self.running.version.split('.')[:2])}"

    @property
    def address(self) -> tuple[str, int]:
        return self.running.host, self.running.port

    @contextmanager
    def observed(self, effects: Effects) -> Iterator[None]:
        original, patience = pymysql.Connection, session.LOCK_SECONDS

        class Observed(original):  # type: ignore[misc, valid-type]  # it is a variable here
            is_open = False

            def connect(self, sock: Any = None) -> None:
                connect = super().connect
                name = self.user.decode() if isinstance(self.user, bytes) else self.user
                effects.log_in(lambda: connect(sock), self, name, MysqlServer.refuses)
                self.is_open = True

            def query(self, sql: Any, *options: Any) -> Any:
                query = super().query
                if not self.is_open:
                    return query(sql, *options)  # The driver's own, a part of the login.
                text = sql.decode() if isinstance(sql, bytes) else sql
                try:
                    return effects.happen(Kind.STATEMENT, text, lambda: query(sql, *options))
                except ConnectionResetError:
                    self._force_close()
                    raise

        vars(pymysql)["Connection"] = Observed
        vars(session)["LOCK_SECONDS"], vars(engine)["LOCK_SECONDS"] = PATIENCE, 0
        try:
            yield
        finally:
            vars(pymysql)["Connection"] = original
            vars(session)["LOCK_SECONDS"] = vars(engine)["LOCK_SECONDS"] = patience

    def changes_a_login(self, statement: str) -> bool:
        return statement.startswith(CHANGES)

    def server(self, base: str, password: str, port: int | None = None) -> MysqlServer:
        one = self.running
        if port is None:
            return MysqlServer(one, base, password)
        at = MysqlAddress(one.name, one.host, port, one.superuser, one.password, one.ca_file)
        return MysqlServer(at, base, password)

    def create_superuser(self, server: Server, name: str, password: str) -> None:
        server.create_user(name, password)
        server.execute(f"GRANT ALL PRIVILEGES ON *.* TO {name}@'%' WITH GRANT OPTION")

    def empower(self, server: Server, superuser: str, *, enough: bool) -> None:
        if enough:
            server.execute(f"GRANT CREATE USER ON *.* TO {superuser}@'%'")
        else:
            server.execute(f"REVOKE CREATE USER ON *.* FROM {superuser}@'%'")

    def give_rights(self, server: Server, superuser: str) -> None:
        base = f"{server.base}@'%'"
        server.execute(
            f"GRANT PROCESS ON *.* TO {base}",
            f"GRANT CREATE TEMPORARY TABLES, LOCK TABLES ON {DATABASE}.* TO {base}",
            f"GRANT SELECT ON {DATABASE}.by_table TO {base}",
        )
        for role in (f"{server.base}_role", f"{server.base}_later"):
            server.execute(f"CREATE ROLE {role}", f"GRANT SELECT ON {DATABASE}.by_role TO {role}")
            # On MariaDB nobody else may hand a role on.
            server.execute(f"GRANT {role} TO {superuser}@'%' WITH ADMIN OPTION")
        server.execute(f"GRANT {server.base}_role TO {base}")
        self._start_with(server, f"{server.base}_role")

    def change_rights(self, server: Server, *, clone_in_use: bool) -> None:
        base, former, later = f"{server.base}@'%'", f"{server.base}_role", f"{server.base}_later"
        server.execute(
            f"GRANT SHOW DATABASES ON *.* TO {base}",
            f"GRANT SELECT ON {DATABASE}.later TO {base}",
            f"GRANT {later} TO {base}",
        )
        if not clone_in_use:
            self._start_with(server, later)
            server.execute(
                f"REVOKE PROCESS ON *.* FROM {base}",
                f"REVOKE LOCK TABLES ON {DATABASE}.* FROM {base}",
                f"REVOKE {former} FROM {base}",
            )
        elif not self.running.mariadb:  # There a login starts with one role.
            self._start_with(server, f"{former}, {later}")

    def _start_with(self, server: Server, roles: str) -> None:
        if self.running.mariadb:
            server.execute(f"SET DEFAULT ROLE {roles} FOR {server.base}@'%'")
        else:
            server.execute(f"ALTER USER {server.base}@'%' DEFAULT ROLE {roles}")

    def lacks(self, server: Server, current: Credential) -> list[str] | None:
        try:
            server.query(current.username, current.password, *KEPT)
        except pymysql.MySQLError as error:
            return None if server.refuses(error) else [str(error)]
        return []

    def grant(self, server: Server, number: int) -> None:
        server.execute(f"GRANT {PRIVILEGES[number]} ON {DATABASE}.* TO {server.base}@'%'")

    def revoke(self, server: Server, number: int) -> None:
        self.grant(server, number)  # What was never granted cannot be revoked.
        server.execute(f"REVOKE {PRIVILEGES[number]} ON {DATABASE}.* FROM {server.base}@'%'")

    def differs(self, server: Server, current: Credential) -> list[str]:
        has, should = (self._rights(server, name) for name in (current.username, server.base))
        return [f"{right} differs" for right in sorted(has ^ should)]

    def _rights(self, server: Server, name: str) -> set[str]:
        rows = {
            str(row[0]).replace(f"`{name}`@", "USER@")
            for row in server.execute(f"SHOW GRANTS FOR {name}@'%'")
        }
        return {_without_password(row) for row in rows} | self._defaults(server, name)

    def _defaults(self, server: Server, name: str) -> set[str]:
        """MariaDB shows them among the rights."""
        if self.running.mariadb:
            return set()
        shown = server.execute(f"SHOW CREATE USER {name}@'%'")[0][0]
        return {f"DEFAULT ROLE {found}" for found in DEFAULT_ROLE.findall(shown)}

    def is_locked(self, server: Server) -> bool:
        lock = f"SELECT IS_USED_LOCK('{engine.lock_name(server.base)}')"
        return server.execute(lock)[0][0] is not None

    def drop(self, server: Server, superuser: str) -> None:
        server.drop_users(server.clone, superuser, server.base)
        for role in (f"{server.base}_role", f"{server.base}_later"):
            server.execute(f"DROP ROLE IF EXISTS {role}")
