"""The harness itself: the proxy counts in the order in which things happened."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.faults.proxy import HOST, Proxy, Turn


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """The address of a server that says what it hears, except a goodbye."""
    with socket.create_server((HOST, 0)) as listener:
        serving = threading.Thread(target=answer_all, args=(listener,))
        serving.start()
        yield listener.getsockname()
        listener.shutdown(socket.SHUT_RDWR)
        serving.join()


def answer_all(listener: socket.socket) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=answer, args=(client,)).start()


def answer(client: socket.socket) -> None:
    with client, contextlib.suppress(ConnectionResetError):
        while (heard := client.recv(100)) not in (b"", b"goodbye"):
            client.sendall(heard)


def test_the_turns_of_a_connection_are_its_own(echo: tuple[str, int]) -> None:
    with Proxy(echo) as proxy, socket.create_connection((HOST, proxy.port)) as first:
        proxy.arm(None)
        with socket.create_connection((HOST, proxy.port)) as second:
            for client in (first, second, second):
                client.sendall(b"hello")
                assert client.recv(100) == b"hello"
        assert proxy.turns == proxy.answered == {Turn(0, 0), Turn(1, 0), Turn(1, 1)}


def test_a_goodbye_that_was_said_before_the_count_began_is_not_counted(
    echo: tuple[str, int],
) -> None:
    with Proxy(echo) as proxy:
        for _ in range(200):
            with socket.create_connection((HOST, proxy.port)) as first:
                first.sendall(b"goodbye")
            proxy.arm(None)
            with socket.create_connection((HOST, proxy.port)) as second:
                second.sendall(b"hello")
                assert second.recv(100) == b"hello"
            assert proxy.turns == {Turn(0, 0)}
