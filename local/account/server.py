"""Serves the account on 127.0.0.1 in the foreground and takes everything along when it ends."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """The socket comes before anything else, so that a taken port is known at once.

    Raises OSError. Clients that connect before the server is up wait; they are not refused.
    """
    with socket.create_server(("127.0.0.1", port)) as listener:
        yield listener


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Holds everything the account writes; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="rekey-account-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(application: Any, listener: socket.socket, stop: Callable[[], None]) -> None:
    """Until SIGINT, SIGTERM or SIGHUP; `stop` then ends what the application started."""
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.loglevel = "WARNING"
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.shutdown_timeout = 5
    asyncio.run(_serve(application, config, stop))


async def _serve(application: Any, config: Config, stop: Callable[[], None]) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, ended.set)

    async def until_ended() -> None:
        await ended.wait()
        await asyncio.to_thread(stop)

    await serve(application, config, shutdown_trigger=until_ended)
