"""Many troubles together, on several secrets; `make prove` tries far more of them."""

from typing import Any

import pytest
from hypothesis.stateful import run_state_machine_as_test

from rekey.model import Strategy
from tests.faults.conftest import target_of
from tests.faults.machine import Rotations, histories
from tests.faults.targets import ENGINES

HISTORIES = 8


@pytest.mark.timeout(600)  # What fails is shrunk first.
@pytest.mark.parametrize("engine", ENGINES)
def test_whatever_happens_in_whatever_order_nobody_is_locked_out(request: Any, engine: str) -> None:
    Rotations.target = target_of(engine, request)
    number = HISTORIES if engine == "postgres" else HISTORIES // 2
    run_state_machine_as_test(Rotations, settings=histories(number, always_the_same=True))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_right_that_the_base_user_lost_while_its_clone_is_in_use_is_given_back_at_the_end(
    request: Any, engine: str
) -> None:
    """The harness itself: no rotation takes from an application what it has (PrivilegesDiffer)."""
    Rotations.target = target_of(engine, request)
    state = Rotations()
    number = ENGINES[engine].strategies.index(Strategy.ALTERNATING_USERS)
    secret = state.create_a_secret(number=number)
    state.grant(secret=secret, number=0)
    state.rotate(secret=secret)
    state.revoke(secret=secret, number=0)
    state.teardown()
