"""The function as deployed, its process killed; `make prove` kills it at more places."""

import os
import subprocess
import sys
from contextlib import ExitStack

import pytest

from rekey.model import Strategy
from tests.conftest import Deployed
from tests.faults.conftest import target_of
from tests.faults.deployed import (
    Way,
    What,
    kill_at,
    kill_points,
    processes_of,
    reached_through_proxies,
)

KILLED = [
    ("postgres", Strategy.SINGLE_USER, What.ROTATION, 5),
    ("postgres", Strategy.ALTERNATING_USERS, What.ROTATION, 5),
    ("mysql", Strategy.DUAL_PASSWORD, What.ROTATION, 8),
    ("mariadb", Strategy.DUAL_PASSWORD, What.RETIREMENT, 8),
]
"""With the number of calls to Secrets Manager of which one is killed."""


@pytest.mark.parametrize(("engine", "strategy", "what", "stride"), KILLED)
def test_a_function_that_is_killed_locks_nobody_out_and_the_next_attempt_ends_right(
    request: pytest.FixtureRequest,
    deployed: Deployed,
    engine: str,
    strategy: Strategy,
    what: What,
    stride: int,
) -> None:
    """Calls to Secrets Manager in every step: before it or after it by turns."""
    target = target_of(engine, request)
    with reached_through_proxies(deployed, target) as function:
        calls = kill_points(function, strategy, Way.SECRETS_MANAGER, what)
        turns = kill_points(function, strategy, Way.SERVER, what)
        # Not the last ones: how bytes fall into turns differs by one or two now and then.
        some = [turns[len(turns) * part // 12] for part in (3, 5, 8)]
        for point in (*calls[::stride], *some):
            assert kill_at(function, point) == [], str(point)


def test_a_process_of_the_same_function_in_another_account_is_left_alone() -> None:
    endpoints = ["http://127.0.0.1:1", "http://127.0.0.1:11"]
    with ExitStack() as ending:
        pids = [ending.enter_context(waiting("rekey-some", each)).pid for each in endpoints]
        assert [processes_of(each, "rekey-some") for each in endpoints] == [[pid] for pid in pids]
        assert processes_of(endpoints[0], "rekey") == []


def waiting(function: str, endpoint: str) -> subprocess.Popen[bytes]:
    """A process with the environment of a function's, until its input ends."""
    own = {"AWS_LAMBDA_FUNCTION_NAME": function, "AWS_ENDPOINT_URL": endpoint}
    program = "import sys; sys.stdin.read()"
    return subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, **own}, stdin=subprocess.PIPE
    )
