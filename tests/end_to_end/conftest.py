"""Rotations by themselves: what a recovery makes of one that failed is shown in tests/workflows."""

from collections.abc import Iterator

import pytest

from tests.conftest import Deployed

RULE = "rekey-failures"


@pytest.fixture(autouse=True)
def _no_recovery(request: pytest.FixtureRequest) -> Iterator[None]:
    if "deployed" not in request.fixturenames:
        yield
        return
    deployed: Deployed = request.getfixturevalue("deployed")
    events = deployed.account.client("events")
    events.disable_rule(Name=RULE)
    try:
        yield
    finally:
        events.enable_rule(Name=RULE)
