"""Secrets Manager as the service is, in place of MiniStack's operations of the same names.

Imports point one way: api -> rotation, records, versions, listing -> engine -> labels, dates ->
store. Operations take the request's JSON and return the answer's, or raise a ServiceError.
"""

from __future__ import annotations

from collections.abc import Sequence

from local.account.secretsmanager import api, engine, retries, scheduler


def install(attempts: int, delays: Sequence[float]) -> None:
    retries.set_policy(attempts, delays)
    api.install()
    scheduler.start()


def stop() -> None:
    scheduler.stop()
    engine.stop()
