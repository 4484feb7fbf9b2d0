"""From a name to a socket within one deadline, on real sockets of this machine."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from rekey.engines import network
from rekey.errors import DatabaseUnreachable
from rekey.model import Deadline


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def test_it_connects_to_a_listening_server(listener: socket.socket) -> None:
    with network.connect("127.0.0.1", port_of(listener), Deadline.after(5)) as opened:
        assert opened.getpeername()[1] == port_of(listener)


def test_the_second_address_is_tried_when_the_first_refuses(listener: socket.socket) -> None:
    """On most machines, localhost resolves to ::1 first, and nothing listens there."""
    with network.connect("localhost", port_of(listener), Deadline.after(5)):
        pass


def test_a_closed_port_is_unreachable_and_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = port_of(server)
    with pytest.raises(DatabaseUnreachable, match=rf"127\.0\.0\.1:{port} .*refused"):
        network.connect("127.0.0.1", port, Deadline.after(5))


def test_a_name_that_does_not_resolve_is_unreachable_by_name() -> None:
    with pytest.raises(DatabaseUnreachable, match=r"db\.invalid cannot be resolved"):
        network.connect("db.invalid", 5432, Deadline.after(5))


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example", ""])
def test_a_name_that_is_none_is_unreachable(host: str) -> None:
    with pytest.raises(DatabaseUnreachable):
        network.connect(host, 1, Deadline.after(5))


def test_silence_is_unreachable_at_the_deadline() -> None:
    """A full backlog drops packets, as a firewall does."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, socket.socket() as filler:
        filler.connect(server.getsockname())
        started = time.monotonic()
        with pytest.raises(DatabaseUnreachable, match="drops the packets"):
            network.connect("127.0.0.1", port_of(server), Deadline.after(1))
        assert time.monotonic() - started < 5


def test_a_resolver_that_hangs_does_not_outlast_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        released.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    started = time.monotonic()
    with pytest.raises(DatabaseUnreachable, match="resolver does not answer"):
        network.connect("db.example.com", 5432, Deadline.after(0.2))
    released.set()
    assert time.monotonic() - started < 2


def test_the_watchdog_ends_a_connection_whose_other_side_trickles(listener: socket.socket) -> None:
    """A time-out on the socket would start anew with each byte."""
    with network.connect("127.0.0.1", port_of(listener), Deadline.after(5)) as opened:
        other, _ = listener.accept()
        watchdog = network.Watchdog(opened.dup(), Deadline.after(0.3))
        opened.settimeout(5)
        with other, contextlib.suppress(OSError):
            while other.send(b".") and opened.recv(1):
                pass
        assert watchdog.expired
        watchdog.stop()


def test_a_watchdog_that_was_stopped_leaves_the_connection_alone(listener: socket.socket) -> None:
    with network.connect("127.0.0.1", port_of(listener), Deadline.after(5)) as opened:
        network.Watchdog(opened.dup(), Deadline.after(1)).stop()
        other, _ = listener.accept()
        with other:
            opened.settimeout(1.5)
            with pytest.raises(TimeoutError):
                opened.recv(1)
