"""The scene of dual-password on MariaDB, with a consumer that uses AWS's own caching library."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

import pymysql

from local.consumer import Consumer, cached
from local.demo.application import Application, Database, Login, store, verdict
from local.demo.claims import Claim
from local.demo.rotation import PATIENCE, Rotated, RotationLostError, ended, rotate, say_end
from local.demo.screen import Screen
from local.demo.stage import Stage

REFRESH = 1
"""Seconds; the caching library's own default is 3,600."""
MORE_LOGINS = 20
INTERVAL = 0.05
GRACE = 3900
SHORTENED = 5
"""Seconds: the grace period by default, and here."""


@dataclass(frozen=True)
class MariadbApplication(Application):
    """A user of MariaDB that may have two passwords at a time."""

    @property
    def function_arn(self) -> str:
        return self.stage.mysql_function_arn

    @classmethod
    def create_on_mariadb(cls, stage: Stage, user: str) -> MariadbApplication:
        server, password = stage.mariadb_server, secrets.token_urlsafe(24)
        # The hash, not the password: this server logs every statement.
        server.execute(f"CREATE USER {user}@'%' IDENTIFIED BY PASSWORD '{hash_of(password)}'")
        here, name = Database("mariadb", server.host, server.port), f"{user}/database"
        boss = Login(server.superuser, server.password)
        tags = {"rekey:superuser": "true"}
        keys = {"masterarn": store(stage, f"{user}/superuser", boss, on=here, tags=tags)}
        tags = {"rekey:strategy": "dual-password"}
        arn = store(stage, name, Login(user, password), on=here, keys=keys, tags=tags)
        return cls(stage, user, name, arn)

    def retirement(self) -> str:
        """How the workflow that the promotion started stands; empty if there is none yet."""
        runs = [run for run in self.stage.runs("Retire") if self.secret_arn in run["input"]]
        return str(runs[0]["status"]).lower() if runs else ""

    def refusal(self, login: Login) -> str | None:
        try:
            self.stage.mariadb_server.connect(login.username, login.password).close()
        except pymysql.err.OperationalError as error:
            return f"error {error.args[0]}"
        return None


def hash_of(password: str) -> str:
    """What MariaDB stores in place of a password (mysql_native_password)."""
    once = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()


def dual_password(stage: Stage, screen: Screen) -> tuple[list[Rotated], list[Claim]]:
    """Nothing but a line if there is no MariaDB here."""
    if stage.mariadb is None:
        screen.scene("orders/database: dual-password")
        screen.say(f"Left out: {stage.mariadb_missing}")
        return [], []
    app = MariadbApplication.create_on_mariadb(stage, "orders")
    screen.scene(f"{app.secret_name}: dual-password on MariaDB, beside AWS's own caching library")
    screen.say(
        f"A consumer keeps the value for {REFRESH} s at most and opens a connection for each login."
        f" The promotion starts a workflow that waits for {GRACE:,} s, {SHORTENED} s here, and then"
        " makes the old password stop working."
    )
    return _watched(app, screen)


def _watched(app: MariadbApplication, screen: Screen) -> tuple[list[Rotated], list[Claim]]:
    before = app.login()
    read = app.read(lambda client, arn: cached(client, arn, REFRESH))
    shortened = app.stage.waiting(SHORTENED / GRACE)
    with shortened, Consumer(read, app.refusal_of) as consumer:
        count = _Count(consumer)
        rotated = rotate(app, screen, count)
        say_end(screen, app, rotated)
        both = [app.refusal(before), app.refusal(app.login())]
        screen.say(f"AWSPREVIOUS {verdict(both[0])}, AWSCURRENT {verdict(both[1])}. {count()}.")
        with screen.counting() as show:
            _until(lambda: app.retirement() not in {"", "running"}, lambda: show(count()))
            enough = consumer.tried + MORE_LOGINS
            _until(lambda: consumer.tried >= enough, lambda: show(count()))
    after = [app.refusal(before), app.refusal(app.login())]
    screen.say(f"The workflow {app.retirement()}: the old password {verdict(after[0])}. {count()}.")
    return [rotated], [
        ended([rotated], "dual-password: the rotation succeeds"),
        _no_login_failed(consumer),
        _two_and_then_one(before, app.login(), both, after),
    ]


class _Count:
    """What a person reads about the consumer, as it is now."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    def __call__(self) -> str:
        consumer = self._consumer
        return f"The consumer tried {consumer.tried} logins, {len(consumer.failures)} failed"


def _until(condition: Callable[[], bool], show: Callable[[], object]) -> None:
    limit = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > limit:
            raise RotationLostError(f"nothing came of it within {PATIENCE:.0f} s")
        show()
        time.sleep(INTERVAL)


def _no_login_failed(consumer: Consumer) -> Claim:
    return Claim(
        "dual-password: no login fails, before and after the retirement",
        f"{consumer.tried} logins with AWS's caching library, {len(consumer.failures)} failed"
        + (f", first with: {consumer.failures[0]}" if consumer.failures else ""),
        holds=consumer.tried > MORE_LOGINS and not consumer.failures,
    )


def _two_and_then_one(
    before: Login, now: Login, both: list[str | None], after: list[str | None]
) -> Claim:
    return Claim(
        "dual-password: one name, two passwords, then one",
        f"{before.username} -> {now.username}; old {verdict(both[0])}, retired {verdict(after[0])}",
        holds=before.username == now.username
        and both == [None, None]
        and after[0] is not None
        and after[1] is None,
    )
