"""Where a PostgreSQL server is, and its superuser: what tests and the demo need of any of them."""

import socket
import ssl
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pg8000.native import Connection

SUPERUSER = "postgres"
PATIENCE = 30.0


@dataclass
class PostgresAddress:
    """A server with TLS, whose certificate `ca_file` vouches for."""

    host: str
    port: int
    superuser: str
    password: str = field(repr=False)
    ca_file: Path

    def connect(
        self, user: str | None = None, password: str | None = None, database: str = "postgres"
    ) -> Connection:
        """A verified TLS connection; the superuser's if nobody else is named."""
        with ExitStack() as undo:
            opened = undo.enter_context(socket.create_connection((self.host, self.port), PATIENCE))
            # The driver writes twice before it reads: without this, the second waits for 40 ms.
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(
                self.superuser if user is None else user,
                host=self.host,
                database=database,
                password=self.password if password is None else password,
                ssl_context=self.context,
                sock=opened,
            )
            undo.pop_all()
        return connection

    @cached_property
    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca_file))

    @property
    def version(self) -> int:
        """The server's major version."""
        return int(self.execute("SELECT current_setting('server_version_num')")[0][0]) // 10_000

    def execute(self, *statements: str, database: str = "postgres") -> list[list[Any]]:
        """Runs the statements as the superuser, each by itself; the rows of the last one."""
        with self.connect(database=database) as connection:
            return self.run(connection, *statements)

    @staticmethod
    def run(connection: Connection, *statements: str) -> list[list[Any]]:
        """Runs the statements, each by itself; the rows of the last one."""
        rows = [connection.run(statement) or [] for statement in statements]
        return rows[-1] if rows else []
