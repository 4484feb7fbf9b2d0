"""Where a MySQL or MariaDB server is, and its superuser: what tests and the demo need of any."""

import os
import ssl
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql

from local.mysql_installations import address_of

SUPERUSER = "superuser"
PORT = 3306
PATIENCE = 60.0


class AddressError(Exception):
    """The address in the environment is incomplete; one line says what is missing."""


@dataclass
class MysqlAddress:
    """A server with TLS, whose certificate `ca_file` vouches for; `name` is its kind."""

    name: str
    host: str
    port: int
    superuser: str
    password: str = field(repr=False)
    ca_file: Path

    @property
    def mariadb(self) -> bool:
        return self.name == "mariadb"

    @property
    def version(self) -> str:
        """As the server tells it, without what its packager adds."""
        return str(self.execute("SELECT VERSION()")[0][0]).partition("-")[0]

    def connect(
        self, user: str | None = None, password: str | None = None
    ) -> "pymysql.Connection[Any]":
        """A verified TLS connection; the superuser's if nobody else is named."""
        return pymysql.connect(
            host=self.host,
            port=self.port,
            user=self.superuser if user is None else user,
            password=self.password if password is None else password,
            ssl=self.context,
            autocommit=True,
            connect_timeout=int(PATIENCE),
        )

    @cached_property
    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca_file))

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        """Runs the statements as the superuser, each by itself; the rows of the last one."""
        with self.connect() as connection:
            return self.run(connection, *statements)

    @staticmethod
    def run(connection: "pymysql.Connection[Any]", *statements: str) -> list[tuple[Any, ...]]:
        """Runs the statements, each by itself; the rows of the last one."""
        rows: list[tuple[Any, ...]] = []
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                rows = list(cursor.fetchall())
        return rows


def at_address(name: str) -> MysqlAddress | None:
    """The server of REKEY_MYSQL_URL or REKEY_MARIADB_URL, if that is set. Raises AddressError."""
    given = address_of(name)
    if not given:
        return None
    url, ca_file = urlsplit(given), Path(os.environ.get(f"REKEY_{name.upper()}_CA", ""))
    if not url.hostname or not url.username:
        raise AddressError(
            f"REKEY_{name.upper()}_URL must be {name}://superuser:password@host:port"
        )
    if not ca_file.is_file():
        raise AddressError(
            f"REKEY_{name.upper()}_CA must name a file with the CA of the server in "
            f"REKEY_{name.upper()}_URL"
        )
    login = unquote(url.username), unquote(url.password or "")
    return MysqlAddress(name, url.hostname, url.port or PORT, *login, ca_file)
