"""Many troubles together, on several secrets; `make prove` tries far more of them."""

import pytest
from hypothesis.stateful import run_state_machine_as_test

from local.postgres import Postgres
from tests.faults.machine import Rotations, histories


@pytest.mark.timeout(600)  # What fails is shrunk first.
def test_whatever_happens_in_whatever_order_nobody_is_locked_out(postgres: Postgres) -> None:
    Rotations.postgres = postgres
    run_state_machine_as_test(Rotations, settings=histories(8, always_the_same=True))
