"""Rotations by themselves: what their events lead to is shown in tests/workflows."""

from collections.abc import Iterator

import pytest

from tests.conftest import Deployed, deaf

ABOUT_EVENTS = {"test_access", "test_access_commands", "test_demo", "test_pipeline"}


@pytest.fixture(scope="module", autouse=True)
def _events_lead_nowhere(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where the stack is used, but not in a module that is about events."""
    name = str(request.module.__name__).rpartition(".")[2]
    if name in ABOUT_EVENTS or not hasattr(request.module, "Deployed"):
        yield
        return
    deployed: Deployed = request.getfixturevalue("deployed")
    with deaf(deployed):
        yield
