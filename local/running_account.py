"""The account on this machine as a process of its own, for tests and the demo."""

import atexit
import json
import os
import signal
import subprocess
import tempfile
import urllib.request
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from local.deploy import account_client
from local.processes import HOST
from local.toolchain import CHECKOUT

PATIENCE = 30.0


class AccountError(Exception):
    """The account did not start; the message holds what it said."""


class RunningAccount:
    """Starts `python -m local.account` on a free port, ready when the block begins.

    `settings` go into its environment (REKEY_ROTATION_DELAYS and the like). The process and
    those that it started are gone when the block ends.
    """

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self.port = 0
        self._settings = dict(settings or {})
        self._process: subprocess.Popen[str] | None = None
        self._clients: dict[str, Any] = {}
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - open as long as the process

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        atexit.register(self.close)
        # A session of its own, so that Ctrl-C reaches it only through close().
        self._process = subprocess.Popen(
            [str(CHECKOUT / ".venv" / "account" / "bin" / "python"), "-m", "local.account"],
            cwd=CHECKOUT,
            env={**os.environ, "REKEY_PORT": "0", **self._settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            start_new_session=True,
        )
        self.port = self._announced_port(self._process)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the account. May be called again."""
        atexit.unregister(self.close)
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._said.close()

    def client(self, service: str) -> Any:
        """A client with root's key; one for each service."""
        if service not in self._clients:
            self._clients[service] = account_client(service, self.port)
        return self._clients[service]

    def control(self, route: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Asks the control endpoint, or with a body tells it: `clock`, `records`, `rotation`."""
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.endpoint}/_rekey/{route}"
        with urllib.request.urlopen(url, data, PATIENCE) as answer:  # noqa: S310 - always http
            content: dict[str, Any] = json.load(answer)
        return content

    def _announced_port(self, process: subprocess.Popen[str]) -> int:
        """Its one line on standard output ends with its address."""
        line = next(iter(process.stdout or ()), "")
        _, _, port = line.strip().rpartition(":")
        if not port.isdecimal():
            process.wait(PATIENCE)
            self._said.seek(0)
            said = self._said.read()[-2000:]
            self.close()
            raise AccountError(f"the account did not start: {line}{said}")
        return int(port)
