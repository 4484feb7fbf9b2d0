"""A part of the places at which the network can break; `make prove` tries them all."""

import pytest

from local.postgres import Postgres
from rekey.model import Strategy
from tests.faults import network
from tests.faults.conftest import target_of
from tests.faults.network import NetworkPoint, break_network, network_points
from tests.faults.points import REFUSED, Course, Setting, one_of_each, settings
from tests.faults.postgresql import PostgresTarget
from tests.faults.proxy import Cut, Turn
from tests.faults.schedule import Schedule
from tests.faults.target import Target
from tests.faults.targets import ENGINES


def part(target: Target) -> list[NetworkPoint]:
    """Each cut once, each engine's at other places."""
    cut = (one for one in settings(target.name) if one.course not in REFUSED)
    found = [point for one in cut for point in network_points(target, one)]
    return one_of_each(found, lambda point: point.cut, seed=list(ENGINES).index(target.name))


NEVER_WRAPPED = r"Exception ignored in. <ssl.SSLSocket fd=\d+, family=2, .* laddr=\S+ \d+\)>"
"""Python 3.11 forgets to close a socket whose peer is gone before TLS begins (SSLSocket._create);
it goes with the error. It has no remote address any more."""


@pytest.mark.filterwarnings(f"ignore:{NEVER_WRAPPED}:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_network_that_breaks_locks_nobody_out_and_the_next_attempt_ends_right(
    request: pytest.FixtureRequest, engine: str
) -> None:
    target = target_of(engine, request)
    points = part(target)
    assert {point.cut for point in points} == set(Cut)
    for point in points:
        wrong, told = break_network(target, point)
        assert not wrong, f"{point}: {wrong}; told: {told}"


def test_a_cut_that_never_happens_is_not_taken_for_one_that_did_no_harm(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The harness itself: such a place was found once, and is not there any more."""
    monkeypatch.setattr(network, "TRIES", 2)
    setting = Setting("postgres", Strategy.SINGLE_USER, Course.FIRST)
    for cut, at in ((Cut.BEFORE_REPLY, Turn(0, 999)), (Cut.NO_CONNECTION, 999)):
        wrong, _ = break_network(PostgresTarget(postgres), NetworkPoint(setting, cut, at))
        assert wrong == ["nothing was cut in 2 rotations"]


def test_a_lock_out_after_a_cut_is_noticed_in_the_middle_of_a_step(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The harness itself: from a cut on it looks at every instant, as from any other fault."""
    seen: list[str] = []
    monkeypatch.setattr(Schedule, "look", lambda _, when: seen.append(when))
    setting = Setting("postgres", Strategy.SINGLE_USER, Course.FIRST)
    break_network(PostgresTarget(postgres), NetworkPoint(setting, Cut.BEFORE_REPLY, Turn(0, 2)))
    assert any(when.startswith("effect ") for when in seen)


@pytest.mark.parametrize("behind", [2, 5])
def test_a_transaction_whose_function_is_gone_gives_up_its_locks(
    postgres: Postgres, behind: int
) -> None:
    """The network falls silent inside the change: no FIN, no RST, and the server hears nothing."""
    target = PostgresTarget(postgres)
    setting = Setting("postgres", Strategy.ALTERNATING_USERS, Course.FIRST)
    turns = [p for p in network_points(target, setting) if p.cut is Cut.SILENT_REPLY]
    in_the_change = turns[len(turns) // 2 + behind]
    wrong, told = break_network(target, in_the_change)
    assert not wrong, told
    assert any("did not answer in time" in text for text in told)
