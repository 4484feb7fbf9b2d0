"""A user of its own on a MySQL or MariaDB server. See tests/database.py."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pymysql
import pytest

from local.mysql import Mysql
from local.mysql_address import MysqlAddress
from rekey.engines.mysql import MysqlEngine
from rekey.engines.sealed import Sealed
from tests.database import Server, new_password

REFUSED = frozenset({1045, 1698, 1820, 1862})


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
        return Sealed(MysqlEngine(lambda: self.address.context))

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
        rows = self.execute(f"SELECT user, host FROM mysql.user WHERE user IN ({wanted})")
        if rows:
            self.execute("DROP USER " + ", ".join(f"'{user}'@'{host}'" for user, host in rows))

    def query(self, username: str, password: str, *statements: str) -> list[list[Any]]:
        with self.address.connect(username, password) as connection:
            return [list(row) for row in self.address.run(connection, *statements)]

    @staticmethod
    def refuses(error: Exception) -> bool:
        return isinstance(error, pymysql.MySQLError) and error.args[0] in REFUSED


@contextmanager
def fresh_account(server: MysqlAddress) -> Iterator[MysqlServer]:
    """An account that the test may do anything with, and that is gone afterwards with its clone."""
    account = MysqlServer(server, f"app_{secrets.token_hex(4)}", new_password())
    account.create_user(account.base, account.password)
    yield account
    account.drop_users(account.clone, account.base)
