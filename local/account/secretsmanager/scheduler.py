"""Starts rotations when their windows open, and deletes secrets when their time is over."""

from __future__ import annotations

import logging
import threading

from local.account import clock
from local.account.secretsmanager import dates, records, rotation
from local.account.secretsmanager.store import everywhere, in_scope_of, transaction

logger = logging.getLogger("rekey.rotation")

TICK = 1.0
_stopped = threading.Event()


def start() -> None:
    threading.Thread(target=_watch, name="rotation-schedules", daemon=True).start()


def stop() -> None:
    _stopped.set()


def _watch() -> None:
    while not _stopped.is_set():
        clock.wait_for_move(TICK)
        for _, _, secret in everywhere():
            try:
                _look_at(secret["ARN"], secret)
            except Exception:  # one secret must not keep the others from their schedule
                logger.exception("the schedule of %s broke", secret["ARN"])


def _look_at(arn: str, secret: dict[str, object]) -> None:
    with in_scope_of(arn), transaction():
        records.purge_if_over(secret)
        if dates.is_due(secret):
            rotation.rotate_on_schedule(secret)
