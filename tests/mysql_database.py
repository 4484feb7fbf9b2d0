"""A user of its own on a MySQL or MariaDB server. See tests/database.py."""

import secrets
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from local.mysql import Mysql
from local.mysql_address import MysqlAddress
from rekey.engines.mysql import MysqlEngine
from rekey.engines.sealed import Sealed
from tests.database import Server, new_password


def owned(server: MysqlAddress) -> Mysql:
    """The server, if this run has started it; else the test is left out."""
    if not isinstance(server, Mysql):
        pytest.skip(
            f"REKEY_{server.name.upper()}_URL is set: the server at that address may not be"
            " stopped, nor its logs be read"
        )
    return server


@dataclass
class MysqlServer(Server):
    """See Server."""

    address: MysqlAddress

    @property
    def kind(self) -> str:
        return self.address.name

    @property
    def engine(self) -> Sealed:
        ca = str(self.address.ca_file)
        return Sealed(MysqlEngine(lambda: ssl.create_default_context(cafile=ca)))

    @property
    def own(self) -> Mysql:
        return owned(self.address)

    def create_user(self, name: str, password: str) -> None:
        self.execute(f"CREATE USER {name}@'%' IDENTIFIED BY '{password}'")

    def change_password(self, name: str, password: str) -> None:
        discard = "" if self.address.mariadb else f", {name}@'%' DISCARD OLD PASSWORD"
        self.execute(f"ALTER USER {name}@'%' IDENTIFIED BY '{password}'{discard}")

    def drop_users(self, *names: str) -> None:
        wanted = ", ".join(f"'{name}'" for name in names)
        for user, host in self.execute(
            f"SELECT user, host FROM mysql.user WHERE user IN ({wanted})"
        ):
            self.execute(f"DROP USER '{user}'@'{host}'")

    def query(self, username: str, password: str, *statements: str) -> list[list[Any]]:
        rows: list[list[Any]] = []
        with (
            self.address.connect(username, password) as connection,
            connection.cursor() as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)
                rows = [list(row) for row in cursor.fetchall()]
        return rows


@contextmanager
def fresh_account(server: MysqlAddress) -> Iterator[MysqlServer]:
    """An account that the test may do anything with, and that is gone afterwards with its clone."""
    account = MysqlServer(server, f"app_{secrets.token_hex(4)}", new_password())
    account.create_user(account.base, account.password)
    yield account
    account.drop_users(account.clone, account.base)
