"""What happens where TLS cannot be had, or the certificate is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import partial

from benchmarks.compare.application import Application, Observation
from benchmarks.compare.function_log import told
from benchmarks.compare.stage import Side, Stage, Target
from benchmarks.compare.table import Row, both
from benchmarks.compare.templates import Strategy
from local.postgres import Postgres

Keys = Mapping[str, bool | None]
SECTION = "TLS, single user"
SECRETS: Mapping[str, Keys] = {
    "without the key ssl": {"ssl": None},
    'with "ssl": true': {"ssl": True},
}
Server = AbstractContextManager[Postgres]


def probe(stage: Stage) -> list[Row]:
    """Servers that take connections with and without TLS, and are wrong in one way each."""
    if not stage.tls:
        return []
    elsewhere = stage.authority.issue(("database.invalid",))
    servers: dict[str, Server] = {
        "Server without TLS": Postgres(settings={"ssl": "off"}, allow_plain=True),
        "Certificate of an unknown authority": Postgres(allow_plain=True),
        "Certificate for another host": Postgres(
            authority=stage.authority, certificate=elsewhere, allow_plain=True
        ),
    }
    return [row for name, server in servers.items() for row in _rows(stage, name, server)]


def _rows(stage: Stage, name: str, server: Server) -> list[Row]:
    with server as running:
        target = Target(running, verified=False)
        return [
            both(
                stage,
                SECTION,
                f"{name}, secret {what}",
                partial(_outcome, stage, target, keys),
            )
            for what, keys in SECRETS.items()
        ]


def _outcome(stage: Stage, target: Target, keys: Keys, side: Side) -> str:
    application = Application(stage, side, Strategy.SINGLE_USER, target, keys)
    seen = application.rotate()
    if not seen.succeeded:
        return f"refuses, {_plain_logins(seen)} unencrypted; the log says: {told(seen.said)}"
    password = application.value()["password"]
    in_clear = any(session.states_in_clear(password) for session in seen.sessions)
    sent = "new password sent in clear" if in_clear else "new password not sent in clear"
    rotates = f"rotates, {_plain_logins(seen)} unencrypted, {sent}"
    return f"{rotates}; the log says: {told(seen.said)}"


def _plain_logins(seen: Observation) -> str:
    plain = [s for s in seen.sessions if (s.authorized or s.refusal) and not s.encrypted]
    return f"{len(plain)} logins"
