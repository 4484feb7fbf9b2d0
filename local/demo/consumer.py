"""A consumer in the background: it must not notice that anything is rotated."""

from __future__ import annotations

import threading
from typing import Self

import pg8000.native
from botocore.exceptions import BotoCoreError, ClientError

from local.demo.application import Application

FAILURES = (pg8000.native.DatabaseError, pg8000.native.InterfaceError, OSError)


class Consumer:
    """Reads AWSCURRENT and logs in over a fresh connection, again and again while its block runs.

    `tried` counts the logins, `failures` holds the reason of each that did not succeed.
    """

    def __init__(self, application: Application) -> None:
        self.tried = 0
        self.failures: list[str] = []
        self._application = application
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
            self.tried += 1
            try:
                refusal = self._application.refusal(self._application.login())
            except (*FAILURES, BotoCoreError, ClientError) as error:
                refusal = f"{type(error).__name__}: {error}"
            if refusal:
                self.failures.append(refusal)
