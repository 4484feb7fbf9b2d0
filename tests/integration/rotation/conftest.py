"""The core on a real server, with Secrets Manager in memory, for both strategies."""

import pytest

from tests.database import Server
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


def logins(world: World) -> tuple[int, int]:
    """How many logins the server has let in and refused since it started."""
    log = world.server.own.log.read_text()
    return log.count("connection authorized: "), log.count("password authentication failed")
