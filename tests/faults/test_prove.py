"""`make prove` with a part of a name."""

import io
import os
import queue
import subprocess
import sys

import pytest
from hypothesis import seed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from rich.console import Console

from local.toolchain import CHECKOUT
from tests.faults import prove
from tests.faults.machine import TROUBLES, histories
from tests.faults.parts import Broken, Histories, Part, Row, may_be_of
from tests.faults.prove import work
from tests.faults.targets import wanted_engines

POINT = "mariadb, single-user, first rotation, effect 5: killed before it"


@pytest.mark.skipif("mariadb" not in wanted_engines(), reason="REKEY_SKIP names mariadb")
def test_one_place_is_broken_alone() -> None:
    path = {"PYTHONPATH": str(CHECKOUT / "layers" / "rekey")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.prove", POINT],
        cwd=CHECKOUT,
        env={**os.environ, **path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    assert last == "places 1, faults 1, lock-outs 0, not converged 0, leaks 0, other 0"
    (row,) = [line for line in done.stdout.splitlines() if "MariaDB" in line and "│" in line]
    assert "single-user, first" in row


def test_a_history_has_a_seed_that_can_be_asked_for() -> None:
    nothing: Broken = ([], [])
    row = Row("engine", "strategy", "what breaks")
    part = Histories(
        row, "mysql, histories, seed ", lambda: ["mysql, histories, seed 5"], lambda _: nothing
    )
    for wanted, found in (
        ("", ["mysql, histories, seed 5"]),
        ("mysql, histories", ["mysql, histories, seed 5"]),
        ("mysql, histories, seed 123", ["mysql, histories, seed 123"]),
        ("mariadb, histories, seed 123", []),
        ("histories, seed 7", ["mysql, histories, seed 7"]),
    ):
        assert part.chosen(wanted) == found, wanted


def test_the_same_seed_makes_up_the_same_histories_and_names_their_troubles() -> None:
    """What a failure prints runs alone: it holds names, and no objects of this process."""
    assert _made_up(1) == _made_up(1) != _made_up(2)
    assert " at 0x" not in "".join(_made_up(1))


def _made_up(number: int) -> list[str]:
    """The names of troubles that hypothesis chooses, with a machine that breaks nothing."""
    made_up: list[str] = []

    class Notes(RuleBasedStateMachine):
        @rule(name=st.sampled_from(list(TROUBLES)), later=st.integers(0, 12))
        def break_a_step(self, name: str, later: int) -> None:
            made_up.append(f"{name!r}, {later}")

    run_state_machine_as_test(seed(number)(Notes), settings=histories(5))
    return made_up


def test_a_part_without_places_is_a_failure_unless_a_place_was_asked_for() -> None:
    row = Row("engine", "strategy", "what breaks")
    nowhere = Part(row, "engine, strategy, ", list, lambda _: ([], []))
    told: queue.Queue[object] = queue.Queue()
    assert work(lambda: [nowhere], "", told) == "engine, strategy, : no place was found"
    assert work(lambda: [nowhere], "elsewhere", told) is None


def test_a_name_that_no_place_has_is_a_failure_that_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prove, "jobs", lambda _: iter(()))
    console = Console(file=io.StringIO(), record=True, width=120)
    assert prove.prove(console, "effect 9999") == 1
    assert "No place has 'effect 9999' in its name." in console.export_text()


@pytest.mark.parametrize(
    ("names", "wanted", "may"),
    [
        ("mysql, dual-password, retirement, effect ", "effect 1", True),
        ("mysql, dual-password, retirement, effect ", "mysql, dual", True),
        ("mysql, dual-password, retirement, effect ", "killed before it", True),
        ("mysql, dual-password, retirement, effect ", "single-user", False),
        ("mysql, dual-password, retirement, effect ", "mariadb", False),
        ("mysql, dual-password, retirement, ", "effect 1", False),
        ("mysql, dual-password, retirement, ", "turn 0.7", True),
        ("mysql, dual-password, rotation, server turn ", "first rotation", False),
        ("mysql, dual-password, rotation, server turn ", "server turn 0.3", True),
    ],
)
def test_places_are_looked_for_only_where_the_name_can_occur(
    names: str, wanted: str, may: bool
) -> None:
    assert may_be_of(names, wanted) is may
