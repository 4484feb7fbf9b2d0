"""Access to MiniStack's store of secrets: one lock, and events that leave after it is released.

A stored secret is MiniStack's dictionary, so that tagging, CloudFormation and RDS, which write it
too, go on working. Versions are `{"SecretString", "SecretBinary", "CreatedDate", "Stages"}`; a
version that a rotation has announced but not filled yet has neither string nor binary.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import secretsmanager

from local.account import clock
from local.account.secretsmanager.errors import NotFoundError, RequestError

Secret = dict[str, Any]
Version = dict[str, Any]

_lock = threading.RLock()
_local = threading.local()


@contextmanager
def transaction() -> Iterator[None]:
    """Excludes other writers; what `afterwards` was given runs once the lock is released.

    Delivering an event may start functions that call back, so it must not hold the lock.
    """
    if getattr(_local, "queue", None) is not None:
        yield
        return
    queue: list[Callable[[], object]] = []
    try:
        with _lock:
            _local.queue = queue
            try:
                yield
            finally:
                _local.queue = None
    finally:
        for action in queue:
            action()


def afterwards(action: Callable[[], object]) -> None:
    """Run this when the present transaction is over, also if it ends in a refusal."""
    _local.queue.append(action)


def usable(secret_id: str) -> Secret:
    """The secret, which is neither deleted nor a replica. Raises NotFoundError, RequestError."""
    secret = existing(secret_id)
    if secret.get("DeletedDate"):
        raise RequestError(
            "You can't perform this operation on the secret because it was marked for deletion."
        )
    return secret


def writable(secret_id: str) -> Secret:
    """Like `usable`, and not a replica of another region's secret."""
    secret = usable(secret_id)
    if secretsmanager._is_replica(secret):
        raise RequestError("You can't perform this operation on a replica secret.")
    return secret


def existing(secret_id: str) -> Secret:
    """By name, ARN or ARN without its six random characters. Raises NotFoundError."""
    _, secret = secretsmanager._resolve(secret_id)
    if not secret:
        raise NotFoundError("Secrets Manager can't find the specified secret.")
    found: Secret = secret
    return found


def changed(secret: Secret) -> None:
    """Every change of a secret moves its date on and reaches its replicas."""
    secret["LastChangedDate"] = moment()
    secretsmanager._sync_replicas(secret)


def moment() -> float:
    """Now, in seconds with the milliseconds that the service keeps."""
    return round(clock.now(), 3)


def today() -> float:
    """Dates of access have no time of day."""
    now = clock.now()
    return now - now % 86400


def everywhere() -> list[tuple[str, str, Secret]]:
    """Account, region and record of every secret that is not a replica."""
    return [
        (account, region, secret)
        for (account, region, _), secret in list(secretsmanager._secrets._data.items())
        if not secretsmanager._is_replica(secret)
    ]


def in_scope_of(arn: str) -> Any:
    """A context in which MiniStack's stores answer for the account and region of this ARN."""
    _, _, _, region, account, *_ = arn.split(":")
    return request_scope(account, region)
