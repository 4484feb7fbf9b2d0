"""A secret whose rotation fails, for each strategy on each kind of server, and its recovery."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rekey.model import Strategy
from tests.database import Server
from tests.integration.recovery.recovery import Broken
from tests.integration.rotation.two_passwords import STRATEGY_TAG
from tests.mysql_database import fresh_account
from tests.world import World

KINDS = {
    "PostgreSQL, single-user": ("postgres", Strategy.SINGLE_USER),
    "PostgreSQL, alternating-users": ("postgres", Strategy.ALTERNATING_USERS),
    "MySQL, single-user": ("mysql", Strategy.SINGLE_USER),
    "MySQL, alternating-users": ("mysql", Strategy.ALTERNATING_USERS),
    "MySQL, dual-password": ("mysql", Strategy.DUAL_PASSWORD),
    "MariaDB, single-user": ("mariadb", Strategy.SINGLE_USER),
    "MariaDB, alternating-users": ("mariadb", Strategy.ALTERNATING_USERS),
    "MariaDB, dual-password": ("mariadb", Strategy.DUAL_PASSWORD),
}

ONE_OF_EACH = (
    "PostgreSQL, single-user",
    "PostgreSQL, alternating-users",
    "MariaDB, dual-password",
)
"""For what labels and tags alone decide."""


@contextmanager
def prepared(request: pytest.FixtureRequest, kind: str) -> Iterator[Broken]:
    """A secret of this kind; all of them name a superuser."""
    name, strategy = KINDS[kind]
    if name == "postgres":
        yield broken(request.getfixturevalue("server"), strategy)
        return
    with fresh_account(request.getfixturevalue(name)) as server:
        yield broken(server, strategy)


def broken(server: Server, strategy: Strategy) -> Broken:
    world = World(server, alternating=True)
    world.secret.tags[STRATEGY_TAG] = strategy
    return Broken(world, strategy)


def of(strategy: Strategy) -> list[str]:
    return [kind for kind, (_, its) in KINDS.items() if its is strategy]


@pytest.fixture(params=[kind for kind, (name, _) in KINDS.items() if name == "postgres"])
def logged(request: pytest.FixtureRequest) -> Iterator[Broken]:
    """On a server whose log tells refused logins: MySQL's and MariaDB's do not."""
    with prepared(request, request.param) as found:
        yield found


@pytest.fixture(params=KINDS)
def any_kind(request: pytest.FixtureRequest) -> Iterator[Broken]:
    with prepared(request, request.param) as found:
        yield found


@pytest.fixture(params=ONE_OF_EACH)
def each_strategy(request: pytest.FixtureRequest) -> Iterator[Broken]:
    with prepared(request, request.param) as found:
        yield found


@pytest.fixture(params=of(Strategy.SINGLE_USER))
def single(request: pytest.FixtureRequest) -> Iterator[Broken]:
    with prepared(request, request.param) as found:
        yield found


@pytest.fixture(params=of(Strategy.DUAL_PASSWORD))
def dual(request: pytest.FixtureRequest) -> Iterator[Broken]:
    with prepared(request, request.param) as found:
        yield found


@pytest.fixture
def alternating(request: pytest.FixtureRequest) -> Iterator[Broken]:
    with prepared(request, "PostgreSQL, alternating-users") as found:
        yield found
