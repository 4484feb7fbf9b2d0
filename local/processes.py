"""Ports and processes of servers that run on this machine for a while."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import SystemRandom
from typing import Any

HOST = "127.0.0.1"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 5.0
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A port that nobody listens on at this moment.

    It lies below those that the system gives away by itself (ip(7), ip_local_port_range), so that
    nobody is given it before it is bound. The choice is independent of any seed.
    """
    for port in SystemRandom().sample(PORTS, len(PORTS)):
        with suppress(OSError), socket.create_server((HOST, port)):
            return port
    raise OSError(f"no port of {HOST} is free between {PORTS.start} and {PORTS.stop}")


def family(pid: int) -> list[int]:
    """The process and its children, which may lead sessions of their own."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return [pid, *map(int, children.read_text().split())] if children.exists() else [pid]


def send(number: signal.Signals, pids: Iterable[int]) -> None:
    """Signals those of the processes that still exist."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


@contextmanager
def undisturbed() -> Iterator[None]:
    """Signals to stop arrive when the block is over: a process that starts must not get lost."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python runs signal handlers in the main thread only.
        return
    arrived: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: arrived.append(number))
        for number in STOP_SIGNALS
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for one in arrived:
            signal.raise_signal(one)


def run(command: Sequence[str], *, seconds: float | None = None, **options: Any) -> int:
    """Runs a command to its end; an exception meanwhile ends it with all that it started.

    In a session of its own, so that Ctrl-C reaches it only through here. `options` are those of
    subprocess.Popen. Raises subprocess.TimeoutExpired if it takes longer than that many seconds.
    """
    process: subprocess.Popen[bytes] | None = None
    try:
        with undisturbed():
            process = subprocess.Popen(command, start_new_session=True, **options)
        return process.wait(seconds)
    finally:
        if process is not None and process.returncode is None:
            _kill_session(process)


def _kill_session(leader: subprocess.Popen[bytes]) -> None:
    """Kills all processes of the session and waits until they are gone."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        try:
            os.killpg(leader.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        leader.poll()
        time.sleep(0.01)
