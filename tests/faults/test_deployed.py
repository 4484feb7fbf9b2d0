"""The function as deployed, its process killed; `make prove` kills it at more places."""

import pytest

from local.postgres import Postgres
from tests.conftest import Deployed
from tests.faults.deployed import Way, kill_at, kill_points, reached_through_proxies


@pytest.mark.parametrize("alternating", [False, True], ids=["single-user", "alternating-users"])
def test_a_function_that_is_killed_locks_nobody_out_and_the_next_attempt_ends_right(
    deployed: Deployed, postgres: Postgres, alternating: bool
) -> None:
    """Every call to Secrets Manager, and so every step: before it or after it by turns."""
    with reached_through_proxies(deployed, postgres) as function:
        calls = kill_points(function, alternating=alternating, way=Way.SECRETS_MANAGER)
        turns = kill_points(function, alternating=alternating, way=Way.SERVER)
        # Not the last ones: how bytes fall into turns differs by one or two now and then.
        some = [turns[len(turns) * part // 12] for part in (3, 5, 8)]
        for point in (*calls[::3], *some):
            assert kill_at(function, point) == [], str(point)
