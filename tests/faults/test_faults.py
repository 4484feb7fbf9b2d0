"""A part of the points at which a rotation can break; `make prove` runs them all."""

import pytest

from local.postgres import Postgres
from tests.faults.catalogue import CATALOGUE
from tests.faults.effects import Effects, Kind
from tests.faults.points import SETTINGS, Point, Setting, break_at, points
from tests.faults.schedule import fresh

STRIDE = 13
"""Every 13th point: so that the part meets all troubles, at effects far apart."""


def part(postgres: Postgres, setting: Setting) -> list[Point]:
    return list(points(postgres, setting))[SETTINGS.index(setting) :: STRIDE]


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_nobody_is_locked_out_and_the_next_attempt_ends_right(
    postgres: Postgres, setting: Setting
) -> None:
    for point in part(postgres, setting):
        wrong, told = break_at(postgres, point)
        assert not wrong, f"{point}: {wrong}; told: {told}"


def test_the_part_meets_every_trouble(postgres: Postgres) -> None:
    met = {point.trouble.name for setting in SETTINGS for point in part(postgres, setting)}
    assert met == {trouble.name for trouble in CATALOGUE}


def test_a_password_that_nobody_knows_is_noticed(postgres: Postgres) -> None:
    """The harness itself: a change that no version of the secret knows is a lock-out."""
    effects = Effects()
    with fresh(postgres, effects, alternating=False, rotations_before=0) as schedule:
        commits = [e for e in points(postgres, SETTINGS[0]) if e.effect.name == "COMMIT"]
        effects.at = commits[0].effect.number

        def change_it_to_something_else(_: object, do: object) -> None:
            del do
            schedule.server.postgres.execute(
                f"ALTER ROLE {schedule.server.base} PASSWORD 'nobody knows'"
            )
            raise schedule.effects.kill()

        effects.fault = change_it_to_something_else
        assert any("locked out" in what for what in schedule.run())


def test_effects_are_found_by_running(postgres: Postgres) -> None:
    kinds = [{p.effect.kind for p in points(postgres, setting)} for setting in SETTINGS]
    assert kinds == [set(Kind)] * len(SETTINGS)
