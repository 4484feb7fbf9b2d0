"""The statements that a rotation sends, recorded where they enter the driver."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pg8000.native

from benchmarks.application import Login, create_user
from benchmarks.stage import Stage
from local.postgres_address import SUPERUSER
from rekey.credential import Credential
from rekey.engines.postgresql import PostgresqlEngine
from rekey.engines.postgresql.verifier import scram_sha_256
from rekey.model import STRATEGY_LABELS, Deadline, Strategy
from rekey.ports import Connection, PeerChange

Statements = list[tuple[str, dict[str, Any]]]
Script = dict[str, Any]
VERIFIER = "a verifier"


def record(stage: Stage, strategy: Strategy) -> tuple[Login, Script]:
    """A login whose next rotation is as any later one, and what such a rotation sends."""
    login = create_user(stage)
    script: Script = {
        "label": STRATEGY_LABELS[strategy],
        "verifier": VERIFIER,
        "certificates": [stage.postgres.authority.pem],
        "next": {},
        "setSecret": {},
        "testSecret": {},
    }
    # The first one creates the clone; the second and the third are what goes on for ever.
    for _ in range(3):
        pending = Login(_follower(login.username, strategy))
        script["next"][login.username] = pending.username
        _rotate(stage, strategy, (login, pending), script)
        login = pending
    return login, script


def _follower(username: str, strategy: Strategy) -> str:
    if strategy is Strategy.SINGLE_USER:
        return username
    base = username.removesuffix("_clone")
    return base if username != base else f"{base}_clone"


def _rotate(stage: Stage, strategy: Strategy, logins: tuple[Login, Login], script: Script) -> None:
    """The engine's part of setSecret and testSecret, as the rotation core asks for it."""
    current, pending = logins
    base = pending.username.removesuffix("_clone")
    change = PeerChange(base, f"{base}_clone", pending.username, pending.password)
    with _recorded() as sent:
        with _connect(stage, current) as connection:
            if strategy is Strategy.SINGLE_USER:
                connection.set_password(pending.username, pending.password)
        if strategy is Strategy.ALTERNATING_USERS:
            with _connect(stage, Login(SUPERUSER, stage.postgres.password)) as superuser:
                superuser.provide_peer(change)
    script["setSecret"][pending.username] = [
        {"superuser": number > 0, "statements": statements}
        for number, statements in enumerate(sent)
    ]
    with _recorded() as sent, _connect(stage, pending) as connection:
        connection.check_identity(pending.username, base)
    script["testSecret"][pending.username] = [{"statements": statements} for statements in sent]


def _connect(stage: Stage, login: Login) -> Connection:
    ca_file = str(stage.postgres.ca_file)
    engine = PostgresqlEngine(lambda: ssl.create_default_context(cafile=ca_file))
    postgres = stage.postgres
    credential = Credential(
        engine="postgres",
        host=postgres.host,
        port=postgres.port,
        username=login.username,
        password=login.password,
        dbname=None,
        tls=True,
        superuser_arn=None,
        document={},
    )
    return engine.connect(credential, Deadline.after(30))


@contextmanager
def _recorded() -> Iterator[list[Statements]]:
    """What is sent within the block, a list for each login. Verifiers are left out."""
    sent: dict[pg8000.native.Connection, Statements] = {}
    run = pg8000.native.Connection.run

    def recording(
        connection: pg8000.native.Connection, statement: str, **parameters: Any
    ) -> list[list[Any]]:
        sent.setdefault(connection, []).append((_without_verifier(statement), parameters))
        rows: list[list[Any]] = run(connection, statement, **parameters)
        return rows

    statements: list[Statements] = []
    with patch.object(pg8000.native.Connection, "run", recording):
        yield statements
    statements += sent.values()


def _without_verifier(statement: str) -> str:
    head, mark, _ = statement.partition(scram_sha_256("").partition("$")[0])
    return f"{head}{VERIFIER}'" if mark else statement
