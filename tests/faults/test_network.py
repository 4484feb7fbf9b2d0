"""A part of the places at which the network can break; `make prove` tries them all."""

import pytest

from local.postgres import Postgres
from tests.faults.network import NetworkPoint, break_network, network_points
from tests.faults.points import SETTINGS, Setting
from tests.faults.proxy import AT_CONNECTIONS, AT_TURNS, Cut

STRIDE = 53
"""Prime to the number of cuts, so that a part meets all of them, at places far apart."""


def part(postgres: Postgres) -> list[NetworkPoint]:
    points = [point for setting in SETTINGS for point in network_points(postgres, setting)]
    connections = [point for point in points if point.cut in AT_CONNECTIONS]
    turns = [point for point in points if point.cut in AT_TURNS]
    return [*connections[::3], *turns[::STRIDE]]


def test_a_network_that_breaks_locks_nobody_out_and_the_next_attempt_ends_right(
    postgres: Postgres,
) -> None:
    points = part(postgres)
    assert {point.cut for point in points} == set(Cut)
    for point in points:
        wrong, told = break_network(postgres, point)
        assert not wrong, f"{point}: {wrong}; told: {told}"


@pytest.mark.parametrize("behind", [2, 5])
def test_a_transaction_whose_function_is_gone_gives_up_its_locks(
    postgres: Postgres, behind: int
) -> None:
    """The network falls silent inside the change: no FIN, no RST, and the server hears nothing."""
    setting = Setting(alternating=True, rotations_before=0)
    turns = [p for p in network_points(postgres, setting) if p.cut is Cut.SILENT_REPLY]
    in_the_change = turns[len(turns) // 2 + behind]
    wrong, told = break_network(postgres, in_the_change)
    assert not wrong, told
    assert any("did not answer in time" in text for text in told)
