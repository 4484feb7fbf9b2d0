"""Users, rights and secrets that a schedule begins with; gone afterwards."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from rekey.model import Strategy
from tests.database import new_password
from tests.faults.effects import Effects
from tests.faults.schedule import Schedule
from tests.faults.target import Target
from tests.world import SUPERUSER_ARN


@contextmanager
def fresh(
    target: Target,
    effects: Effects,
    strategy: Strategy,
    *,
    rotations_before: int,
    kind: type[Schedule] = Schedule,
    port: int | None = None,
) -> Iterator[Schedule]:
    """A schedule that has begun, alone on the server; see prepared."""
    with target.observed(effects), prepared(target, effects, strategy, kind, port) as one:
        one.rotations_before = rotations_before
        one.begin()
        yield one


@contextmanager
def prepared(
    target: Target,
    effects: Effects,
    strategy: Strategy,
    kind: type[Schedule] = Schedule,
    port: int | None = None,
) -> Iterator[Schedule]:
    """A schedule with a user and a superuser of its own, gone afterwards.

    ``port`` is where the function reaches the server, if something stands in between.
    """
    base, password = f"app_{secrets.token_hex(5)}", new_password()
    admin, admin_password = f"{base}_admin", new_password()
    server = target.server(base, password)
    with server.one_login():
        server.create_user(base, password)
        target.create_superuser(server, admin, admin_password)
        target.give_rights(server, admin)
        reached = target.server(base, password, port) if port else None
        schedule = kind(target, server, effects, strategy, reached=reached)
        superuser = schedule.store.secrets[SUPERUSER_ARN]
        superuser.values["v1"] = schedule.world.document(admin, admin_password)
        yield schedule
        target.drop(server, admin)
