"""A consumer of a secret in the background: it must not notice that anything is rotated."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any, Self

from aws_secretsmanager_caching import SecretCache, SecretCacheConfig

Read = Callable[[], str]
"""The value of AWSCURRENT, as far as a consumer knows."""
Login = Callable[[str, str], str | None]
"""User name and password to what the server refuses the login with; None if it logs in."""


def cached(client: Any, secret_arn: str, seconds: int) -> Read:
    """AWS's own caching library; it looks for a new version after half of `seconds` up to all."""
    cache = SecretCache(SecretCacheConfig(secret_refresh_interval=seconds), client)
    return lambda: str(cache.get_secret_string(secret_arn))


def uncached(client: Any, secret_arn: str) -> Read:
    """A call to Secrets Manager for every login."""
    return lambda: str(client.get_secret_value(SecretId=secret_arn)["SecretString"])


class Consumer:
    """Logs in over a new connection, again and again while its block runs.

    `tried` counts the logins, `failures` holds the reason of each that did not succeed, `gaps` the
    seconds from a first refusal to the next success. `serving` is the value that logged in last.
    """

    def __init__(self, read: Read, login: Login, pause: float = 0.0) -> None:
        self.tried = 0
        self.failures: list[str] = []
        self.gaps: list[float] = []
        self.serving = ""
        self._read, self._login, self._pause = read, login, pause
        self._refused_since: float | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="consumer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._over.is_set():
            self._try()
            self._over.wait(self._pause)

    def _try(self) -> None:
        started, value = time.monotonic(), ""
        try:
            value = self._read()
            document = json.loads(value)
            refusal = self._login(document["username"], document["password"])
        except Exception as error:  # noqa: BLE001 - whatever it is, this consumer could not work
            refusal = f"{type(error).__name__}: {error}"
        self._count(started, value, refusal)

    def _count(self, started: float, value: str, refusal: str | None) -> None:
        self.tried += 1
        if refusal is not None:
            self.failures.append(refusal)
            self._refused_since = self._refused_since or started
            return
        if self._refused_since is not None:
            self.gaps.append(time.monotonic() - self._refused_since)
            self._refused_since = None
        self.serving = value
