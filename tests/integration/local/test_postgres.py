import contextlib
import datetime as dt
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pg8000.native
import pytest

from local.certificates import Authority
from local.postgres import HOST, Postgres, PostgresError
from local.postgres_address import SUPERUSER
from local.toolchain import CHECKOUT

# An SSLRequest, the first thing a client sends: length and code 80877103.
SSL_REQUEST = bytes.fromhex("00000008 04d2162f")
STARTS_A_SERVER_AND_WAITS = """
import os, signal, sys
from local.postgres import Postgres
# As tests/workers.py does; and a shell's background job starts with SIGINT ignored.
signal.signal(int(sys.argv[1]), signal.default_int_handler)
with Postgres() as server:
    print(server.ca_file.parent, os.getpid(), server.port, flush=True)
    signal.pause()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server of this module's own, because its tests stop and pause it."""
    with Postgres() as running:
        yield running


def answers(server: Postgres, seconds: float) -> bool:
    with socket.create_connection((HOST, server.port), timeout=seconds) as client:
        client.sendall(SSL_REQUEST)
        try:
            return client.recv(1) == b"S"
        except TimeoutError:
            return False


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((HOST, port)) == 0


def test_logins_are_encrypted_and_verified_and_use_scram(server: Postgres) -> None:
    rows = server.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    assert rows == [[True]]
    assert "method=scram-sha-256" in server.log.read_text()


def test_an_unencrypted_login_is_refused(server: Postgres) -> None:
    with pytest.raises(pg8000.native.DatabaseError, match="no encryption"):
        pg8000.native.Connection(
            SUPERUSER, HOST, port=server.port, password=server.password, ssl_context=False
        )


def test_an_unencrypted_login_is_possible_where_it_is_asked_for() -> None:
    with Postgres(allow_plain=True) as plain:
        connection = pg8000.native.Connection(
            SUPERUSER, HOST, port=plain.port, password=plain.password, ssl_context=False
        )
        assert connection.run("SELECT 1") == [[1]]
        connection.close()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_the_certificate_stands_openssls_strict_checks(server: Postgres, name: str) -> None:
    context = ssl.create_default_context(cafile=str(server.ca_file))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with socket.create_connection((HOST, server.port)) as plain:
        plain.sendall(SSL_REQUEST)
        assert plain.recv(1) == b"S"
        with context.wrap_socket(plain, server_hostname=name) as encrypted:
            assert encrypted.version() == "TLSv1.3"


@pytest.mark.parametrize(
    ("names", "lifetime", "reason"),
    [
        (["elsewhere.example"], dt.timedelta(days=1), "IP address mismatch"),
        (["127.0.0.1"], dt.timedelta(days=-1), "certificate has expired"),
    ],
)
def test_a_certificate_can_be_wrong_on_purpose(
    names: list[str], lifetime: dt.timedelta, reason: str
) -> None:
    authority = Authority.create()
    wrong = authority.issue(names, lifetime)
    with (
        Postgres(authority=authority, certificate=wrong) as server,
        pytest.raises((ssl.SSLError, pg8000.native.InterfaceError), match=reason),
    ):
        server.connect()


def test_statements_are_logged_and_counted(server: Postgres) -> None:
    server.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements", "SELECT 4711")
    assert "statement: SELECT 4711" in server.log.read_text()
    assert server.execute("SELECT count(*) > 0 FROM pg_stat_statements") == [[True]]


def test_a_paused_server_answers_nobody_until_it_is_resumed(server: Postgres) -> None:
    server.pause()
    assert not answers(server, seconds=0.2)
    server.resume()
    assert answers(server, seconds=20)


def test_data_outlives_a_restart_and_connections_do_not(server: Postgres) -> None:
    server.execute("CREATE TABLE kept (n int)")
    before = server.connect()
    server.restart()
    assert server.execute("SELECT count(*) FROM kept") == [[0]]
    with pytest.raises((pg8000.native.DatabaseError, pg8000.native.InterfaceError)):
        before.run("SELECT 1")
    with contextlib.suppress(pg8000.native.InterfaceError):  # it frees the socket all the same
        before.close()


def test_a_stopped_server_refuses_connections(server: Postgres) -> None:
    server.stop()
    assert not listens(server.port)
    server.start()
    assert listens(server.port)


def test_a_server_that_cannot_start_says_why() -> None:
    with pytest.raises(PostgresError, match="no_such_setting"):
        Postgres(settings={"no_such_setting": "on"}).__enter__()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_when_the_program_is_told_to_stop(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_A_SERVER_AND_WAITS, str(int(number))],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        folder, pid, port = next(iter(process.stdout or ())).split()
        try:
            assert listens(int(port))
        finally:
            os.kill(int(pid), number)
        process.wait(timeout=30)
    assert not listens(int(port))
    assert not Path(folder).exists()
