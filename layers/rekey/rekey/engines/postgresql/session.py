"""One login and its statements, every answer of the server sorted into our errors.

The driver is pg8000: it is the one that hands on the SQLSTATE of a refused login. libpq keeps
that to itself and leaves a text in the server's language.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Self

import pg8000.native as pg
import scramp

from rekey.credential import Credential
from rekey.engines.network import Watchdog, connect
from rekey.engines.postgresql.sqlstate import from_fields
from rekey.errors import (
    DatabaseUnreachable,
    EngineFailure,
    InvalidSecretValue,
    RekeyError,
    TlsFailed,
)
from rekey.model import Deadline

DEFAULT_DATABASE = "postgres"
LOCK_MILLISECONDS = 5_000
LOGIN_SECONDS = 10.0
"""For TLS and authentication: a server that accepts a connection and then says nothing is down."""

# What the session must not take over from the settings of the server, the database or the role.
# The first is a matter of security: whoever owns a database may set its search_path, and a function
# found there would run with the superuser's rights. SET looks nothing up. Then, a backslash in a
# literal is a backslash, dates read back as they were written, and waiting has an end. So has a
# transaction whose function is gone: where the network fell silent, the server would not notice
# for hours, and nobody else could get the lock.
START = """
SET search_path = '';
SET standard_conforming_strings = on;
SET datestyle = 'ISO, YMD';
SET lock_timeout = {lock_timeout};
SET statement_timeout = {timeout};
SET idle_in_transaction_session_timeout = {timeout};
SELECT session_user::pg_catalog.text, current_user::pg_catalog.text,
       pg_catalog.pg_is_in_recovery(),
       pg_catalog.current_setting('server_version_num')::pg_catalog.int4
"""


class Session:
    """A connection to one database. Not for use by several threads."""

    def __init__(self, connection: pg.Connection, watchdog: Watchdog, server: str) -> None:
        self._connection = connection
        self._watchdog = watchdog
        self._server = server
        timeout = max(1, int(watchdog.deadline.remaining() * 1000))
        row = self.run(START.format(timeout=timeout, lock_timeout=LOCK_MILLISECONDS))[0]
        self.login_name: str = row[0]
        self.acts_as: str = row[1]
        self.in_recovery: bool = row[2]
        self.server_version: int = row[3]
        self.by_scram = getattr(connection, "auth", None) is not None  # pg8000's, after SASL

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
            try:
                connection = _log_in(credential, opened, context)
                undo.callback(_end, connection)
                watchdog.watch(deadline)
                session = cls(connection, watchdog, server)
            except Exception as error:  # noqa: BLE001 - every error of the driver gets sorted
                failure = _translate(error, server, expired=watchdog.expired)
            else:
                undo.pop_all()  # From here on, close() ends it.
                return session
        raise failure

    def run(self, statement: str, **parameters: object) -> list[list[Any]]:
        """Run one statement; parameters are ``:name`` and travel apart from it."""
        try:
            return self._connection.run(statement, **parameters) or []
        except Exception as error:  # noqa: BLE001 - every error of the driver gets sorted
            failure = _translate(error, self._server, expired=self._watchdog.expired)
        raise failure

    @contextmanager
    def transaction(self, *, lock: str) -> Iterator[None]:
        """Run the block in one transaction, alone among those that change the user ``lock``.

        Without the lock, two ALTER ROLE at once fail with "tuple concurrently updated". A role
        or a database may have default_transaction_read_only or a role set: say READ WRITE, and
        go back to the login itself.
        """
        self.check_writable()
        self.run("BEGIN READ WRITE")
        try:
            self.run("SET LOCAL ROLE NONE")
            self.run("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))", key=f"rekey {lock}")
            yield
            self.run("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def check_writable(self) -> None:
        """Raise ReadOnlyEndpoint on a standby."""
        if self.in_recovery:
            raise from_fields({"C": "25006", "M": "the server is a standby"}, self._server)

    def _roll_back(self) -> None:
        with suppress(Exception):  # The connection is gone, and the change with it.
            self._connection.run("ROLLBACK")

    def close(self) -> None:
        """End the login. Never raises: what was to be done is committed or not."""
        self._watchdog.stop()
        _end(self._connection)


def _end(connection: pg.Connection) -> None:
    with suppress(Exception):  # The server ended it first.
        connection.close()


def _log_in(
    credential: Credential, opened: socket.socket, context: ssl.SSLContext | None
) -> pg.Connection:
    return pg.Connection(
        credential.username,
        host=credential.host,
        database=credential.dbname or DEFAULT_DATABASE,
        password=credential.password,
        ssl_context=context or False,
        application_name="rekey",
        sock=opened,
    )


def _translate(error: Exception, server: str, *, expired: bool) -> RekeyError:
    """Return what to raise for what the driver raised.

    Returned, not raised here: so the original, which may hold a secret, is no context of it.
    """
    if isinstance(error, RekeyError):
        return error
    if expired:
        return DatabaseUnreachable(f"{server} did not answer in time.")
    if isinstance(error, pg.DatabaseError) and error.args and isinstance(error.args[0], dict):
        return from_fields(error.args[0], server)
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsFailed(
            f"The certificate of {server} cannot be verified ({error.verify_message}). Use the "
            "host name in the certificate, or add its CA (parameter CaBundleLayerArn)."
        )
    if isinstance(error, ssl.SSLError):
        return TlsFailed(f"{server} did not complete the TLS handshake ({error.reason}).")
    return _broken(error, server)


def _broken(error: Exception, server: str) -> RekeyError:
    """Sort what has neither a SQLSTATE nor a TLS reason."""
    if str(error) == "Server refuses SSL":
        return TlsFailed(
            f"{server} does not offer TLS. Turn it on; Rekey goes without only if the secret says "
            '"ssl": false.'
        )
    if isinstance(error, scramp.ScramException):
        return InvalidSecretValue(
            f"The password cannot be prepared for SCRAM ({error}). Use characters that SASLprep "
            "(RFC 4013) allows: printable ASCII is safe."
        )
    if isinstance(error, OSError) or str(error) in ("network error", "connection is closed"):
        return DatabaseUnreachable(f"{server} ended the connection.")
    return EngineFailure(f"{server}: {type(error).__name__}: {error}")
