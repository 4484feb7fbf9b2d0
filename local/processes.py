"""Ports and processes of servers that run on this machine for a while."""

import os
import signal
import socket
from collections.abc import Iterable
from pathlib import Path

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
        return port


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
