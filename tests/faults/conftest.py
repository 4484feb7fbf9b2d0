"""The servers that are broken, by the name of their engine."""

import pytest

from tests.faults.target import Target
from tests.faults.targets import ENGINES
from tests.mysql_database import owned


def target_of(engine: str, request: pytest.FixtureRequest) -> Target:
    """Left out where the server may not be restarted."""
    running = request.getfixturevalue(engine)
    return ENGINES[engine].target(running if engine == "postgres" else owned(running))
