"""One login and its statements, every answer of the server sorted into our errors.

The driver is PyMySQL. It gets a socket that is already connected, so that name resolution, the
connection, TLS and every statement stand under one deadline.
"""

import re
import ssl
from contextlib import ExitStack, suppress
from typing import Any, Never, Self

import pymysql
from pymysql.cursors import Cursor, DictCursor

from rekey.credential import Credential
from rekey.engines.mysql.failures import translate
from rekey.engines.network import Watchdog, connect
from rekey.errors import PlaintextRefused, ReadOnlyEndpoint
from rekey.model import Deadline

LOCK_SECONDS = 5
LOGIN_SECONDS = 10.0
"""For TLS and authentication: a server that accepts a connection and then says nothing is down."""
SQL_MODE = "NO_BACKSLASH_ESCAPES"
"""Whatever the server's own: a backslash means itself, and a double quote delimits no name."""

START = "SELECT VERSION(), CURRENT_USER(), USER(), @@global.read_only"
VERSION = re.compile(r"(?:5\.5\.5-)?(\d+)\.(\d+)\.(\d+)")


class Refuses:
    """In place of a way to log in that would hand over the password itself."""

    def __init__(self, connection: object) -> None:
        del connection

    def authenticate(self, packet: object) -> Never:
        del packet
        raise PlaintextRefused(
            "The server asks for the password in clear, and the connection has no TLS: take "
            '"ssl": false out of the secret.'
        )


class Session:
    """A connection to one server. Not for use by several threads."""

    def __init__(
        self, connection: "pymysql.Connection[Any]", watchdog: Watchdog, server: str, *, tls: bool
    ) -> None:
        self._connection = connection
        self._watchdog = watchdog
        self.server = server
        self.tls = tls
        self.mariadb = is_mariadb(connection)
        version, current, user, read_only = self.run(START)[0]
        self.version: tuple[int, ...] = version_of(version)
        self.login_name, _, self.login_host = current.rpartition("@")
        self.given_name: str = user.rpartition("@")[0]
        self.read_only = bool(read_only)
        self._limit(watchdog.deadline.remaining())

    def _limit(self, seconds: float) -> None:
        """Let no lock and no query outlast us: the server would go on after we are gone."""
        whole = max(1, int(seconds))
        # An idle session would keep the lock of a function that is gone.
        limits = {
            "lock_wait_timeout": LOCK_SECONDS,
            "innodb_lock_wait_timeout": LOCK_SECONDS,
            "wait_timeout": whole,
        }
        if self.mariadb:
            limits["max_statement_time"] = whole
        else:
            limits["max_execution_time"] = max(1_000, int(seconds * 1_000))
        self.run("SET SESSION " + ", ".join(f"{name} = {limit}" for name, limit in limits.items()))

    @classmethod
    def open(
        cls, credential: Credential, port: int, context: ssl.SSLContext | None, deadline: Deadline
    ) -> Self:
        """Connect and log in. Without ``context`` the connection is in clear."""
        server = f"{credential.host}:{port}"
        with ExitStack() as undo:
            opened = undo.enter_context(connect(credential.host, port, deadline))
            watchdog = Watchdog(opened.dup(), deadline.at_most(LOGIN_SECONDS))
            undo.callback(watchdog.stop)
            connection = None
            try:
                connection = prepare(credential, context)
                undo.callback(_end, connection)
                connection.connect(opened)
                watchdog.watch(deadline)
                session = cls(connection, watchdog, server, tls=context is not None)
            except Exception as error:  # noqa: BLE001 - every error of the driver gets sorted
                mariadb = connection is not None and is_mariadb(connection)
                failure = translate(error, server, expired=watchdog.expired, mariadb=mariadb)
            else:
                undo.pop_all()  # From here on, close() ends it.
                return session
        raise failure

    def run(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run one statement; parameters are ``%s``, which the driver quotes as literals."""
        return self._execute(Cursor, statement, parameters)

    def records(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """Run a query; each row by the names of its columns."""
        return self._execute(DictCursor, query, parameters)

    def _execute(self, kind: type[Cursor], statement: str, parameters: object) -> list[Any]:
        try:
            with self._connection.cursor(kind) as cursor:
                cursor.execute(statement, parameters or None)
                return list(cursor.fetchall())
        except Exception as error:  # noqa: BLE001 - every error of the driver gets sorted
            failure = translate(
                error, self.server, expired=self._watchdog.expired, mariadb=self.mariadb
            )
        raise failure

    def check_writable(self) -> None:
        """Raise ReadOnlyEndpoint on a replica; a superuser would be let through by the server."""
        if self.read_only:
            raise ReadOnlyEndpoint(
                f"The endpoint is read-only: store the writer's host. {self.server} has read_only."
            )

    def close(self) -> None:
        """End the login. Never raises: what was to be done is done or not."""
        self._watchdog.stop()
        _end(self._connection)


def is_mariadb(connection: "pymysql.Connection[Any]") -> bool:
    """Ask the greeting of the server, which is there before anybody has logged in."""
    return "mariadb" in str(getattr(connection, "server_version", "")).lower()


def version_of(text: str) -> tuple[int, ...]:
    found = VERSION.match(text)
    return tuple(int(part) for part in found.groups()) if found else (0, 0, 0)


def prepare(credential: Credential, context: ssl.SSLContext | None) -> "pymysql.Connection[Any]":
    """Return a connection that is not open yet. The driver would encode a password as Latin-1."""
    return pymysql.Connection(
        user=credential.username,
        password=credential.password.encode(),
        host=credential.host,
        database=credential.dbname,
        charset="utf8mb4",
        sql_mode=SQL_MODE,
        autocommit=True,
        ssl=context,
        ssl_disabled=context is None,
        auth_plugin_map={} if context else {"mysql_clear_password": Refuses, "dialog": Refuses},
        program_name="rekey",
        defer_connect=True,
    )


def _end(connection: "pymysql.Connection[Any]") -> None:
    with suppress(Exception):  # The server ended it first.
        connection.close()
