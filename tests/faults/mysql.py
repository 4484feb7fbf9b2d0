"""MySQL and MariaDB, as the enumeration breaks them."""

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

REFUSED = frozenset({1045, 1698})
CHANGES = ("ALTER USER", "CREATE USER", "DROP USER", "SET PASSWORD")
DATABASE = "rekey_faults"
PRIVILEGES = ("SELECT", "INSERT")
PATIENCE = 1
"""Seconds, the least that these servers know."""


def _refused(error: Exception) -> bool:
    return isinstance(error, pymysql.MySQLError) and error.args[0] in REFUSED


@dataclass
class MysqlTarget(Target):
    """See Target."""

    running: Mysql

    def __post_init__(self) -> None:
        self.running.execute(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")

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
                effects.log_in(lambda: connect(sock), self, name, _refused)
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
        # On MariaDB that of USAGE shows the password's hash.
        return {row for row in rows if not row.startswith("GRANT USAGE ON *.*")}

    def is_locked(self, base: str) -> bool:
        lock = f"SELECT IS_USED_LOCK('{engine.lock_name(base)}')"
        return self.running.execute(lock)[0][0] is not None

    def drop(self, server: Server, superuser: str) -> None:
        server.drop_users(server.clone, superuser, server.base)
