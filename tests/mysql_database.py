"""A user of its own on a shared MySQL or MariaDB server, and the engine that reaches it."""

import secrets
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local.mysql import Mysql
from rekey.credential import Credential
from rekey.engines.mysql import MysqlEngine
from rekey.engines.sealed import Sealed
from tests.database import Server, new_password


@dataclass
class MysqlServer(Server):
    """See Server. ``postgres``, of which only the address and the superuser count, is a Mysql."""

    postgres: Any

    @property
    def engine(self) -> Sealed:
        ca = str(self.postgres.ca_file)
        return Sealed(MysqlEngine(lambda: ssl.create_default_context(cafile=ca)))

    def credential(self, username: str, password: str, **keys: Any) -> Credential:
        return super().credential(username, password, engine=self.postgres.name, **keys)

    def query(self, username: str, password: str, *statements: str) -> list[list[Any]]:
        rows: list[list[Any]] = []
        with (
            self.postgres.connect(username, password) as connection,
            connection.cursor() as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)
                rows = [list(row) for row in cursor.fetchall()]
        return rows


@contextmanager
def fresh_account(server: Mysql) -> Iterator[MysqlServer]:
    """An account that the test may do anything with, and that is gone afterwards with its clone."""
    base, password = f"app_{secrets.token_hex(4)}", new_password()
    server.execute(f"CREATE USER {base}@'%' IDENTIFIED BY '{password}'")
    yield MysqlServer(server, base, password)
    for user, host in server.execute(
        f"SELECT user, host FROM mysql.user WHERE user IN ('{base}', '{base}_clone')"
    ):
        server.execute(f"DROP USER '{user}'@'{host}'")
