"""The core on a real server, with Secrets Manager in memory, for both strategies."""

from collections.abc import Iterator

import pytest

from tests.database import Server
from tests.integration.rotation.two_passwords import DualWorld, NotedWorld, WatchedStore
from tests.mysql_database import fresh_account
from tests.world import World


@pytest.fixture(params=[False, True], ids=["single-user", "alternating-users"])
def world(request: pytest.FixtureRequest, server: Server) -> World:
    return World(server, alternating=request.param)


@pytest.fixture
def single(server: Server) -> World:
    return World(server)


@pytest.fixture
def alternating(server: Server) -> World:
    return World(server, alternating=True)


@pytest.fixture(params=["mysql", "mariadb"])
def dual_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with fresh_account(request.getfixturevalue(request.param)) as server:
        yield server


@pytest.fixture
def dual(dual_server: Server) -> DualWorld:
    return DualWorld(World(dual_server, alternating=True, store=WatchedStore()))


@pytest.fixture
def noted(dual_server: Server) -> DualWorld:
    return DualWorld(NotedWorld(dual_server, alternating=True))


def logins(world: World) -> tuple[int, int]:
    """How many logins the server has let in and refused since it started."""
    (log,) = (text.decode() for text in world.server.logs().values())
    return log.count("connection authorized: "), log.count("password authentication failed")
