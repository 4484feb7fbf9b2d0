"""A server that cannot be reached, and a password that somebody else has changed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pg8000.native import identifier, literal

from benchmarks.compare.application import Application
from benchmarks.compare.function_log import told
from benchmarks.compare.server_log import wrong_passwords
from benchmarks.compare.stage import Side, Stage
from benchmarks.compare.table import Row, both
from benchmarks.compare.templates import Strategy

TOLD = "What the function's log tells the operator, single user"
WRONG = "Logins with a wrong password, after somebody has changed it on the server"
ATTEMPTS = 5


def probe(stage: Stage) -> list[Row]:
    def silent(aspect: str, keys: Mapping[str, Any]) -> Row:
        return both(stage, TOLD, aspect, lambda side: _silent(stage, side, keys))

    rows = [both(stage, TOLD, "Server refuses connections", lambda side: _refused(stage, side))]
    rows.append(silent("Server does not answer", {}))
    if stage.tls:
        rows.append(silent("Server does not answer, secret without the key ssl", {"ssl": None}))
    return rows + [row for strategy in Strategy for row in _wrong_passwords(stage, strategy)]


def _refused(stage: Stage, side: Side) -> str:
    application = Application(stage, side, Strategy.SINGLE_USER, stage.target)
    with _stopped(stage):
        return _told(application)


def _silent(stage: Stage, side: Side, keys: Mapping[str, Any]) -> str:
    application = Application(stage, side, Strategy.SINGLE_USER, stage.target, keys)
    application.rotate()
    stage.target.postgres.pause()
    try:
        return _told(application)
    finally:
        stage.target.postgres.resume()


def _told(application: Application) -> str:
    seen = application.rotate()
    return f"{told(seen.said)} ({seen.seconds:.0f} s)"


@contextmanager
def _stopped(stage: Stage) -> Iterator[None]:
    stage.target.postgres.stop()
    try:
        yield
    finally:
        stage.target.postgres.start()


def _wrong_passwords(stage: Stage, strategy: Strategy) -> list[Row]:
    """After two rotations, so that there is an AWSPREVIOUS and a clone."""
    columns = [_wrong_password(stage, side, strategy) for side in stage.sides]
    name = f"{strategy.capitalize()}, {ATTEMPTS} attempts of the service"
    counts, messages = zip(*columns, strict=True)
    return [
        Row(WRONG, name, *counts),
        Row(WRONG, f"{strategy.capitalize()}: the log says", *messages),
    ]


def _wrong_password(stage: Stage, side: Side, strategy: Strategy) -> tuple[str, str]:
    application = Application(stage, side, strategy, stage.target)
    for _ in range(2):
        application.rotate()
    foreign = literal(secrets.token_urlsafe(24))
    stage.target.execute(f"ALTER ROLE {identifier(application.name)} PASSWORD {foreign}")
    seen = application.rotate(ATTEMPTS)
    wrong = wrong_passwords(seen.sessions)
    return f"{wrong.total()}, {max(wrong.values(), default=0)} of one user", told(seen.said)
