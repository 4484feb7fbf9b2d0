"""A part of the points at which a rotation can break; `make prove` runs them all."""

from collections.abc import Callable
from functools import cache

import pytest

from local.postgres import Postgres
from rekey.model import Strategy
from tests.faults.catalogue import CATALOGUE
from tests.faults.conftest import target_of
from tests.faults.effects import Effects, Kind
from tests.faults.points import SETTINGS, Point, Setting, break_at, one_of_each, points, settings
from tests.faults.postgresql import PostgresTarget
from tests.faults.schedule import fresh
from tests.faults.target import Target
from tests.faults.targets import ENGINES

All = Callable[[Setting], list[Point]]


@pytest.fixture(scope="session")
def all_points(request: pytest.FixtureRequest) -> All:
    """Found once for all tests."""
    return cache(lambda setting: list(points(target_of(setting.engine, request), setting)))


def part(found: list[Point], setting: Setting) -> list[Point]:
    """One of each trouble, at effects far apart; of engines with many settings, of every other."""
    seed = SETTINGS.index(setting)
    chosen = one_of_each(found, lambda point: point.trouble, seed)
    return chosen if setting.engine == "postgres" else chosen[seed % 2 :: 2]


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_nobody_is_locked_out_and_the_next_attempt_ends_right(
    request: pytest.FixtureRequest, all_points: All, setting: Setting
) -> None:
    target = target_of(setting.engine, request)
    for point in part(all_points(setting), setting):
        wrong, told = break_at(target, point)
        assert not wrong, f"{point}: {wrong}; told: {told}"


@pytest.mark.parametrize("engine", ENGINES)
def test_the_part_meets_every_trouble(all_points: All, engine: str) -> None:
    mine = settings(engine)
    met = {point.trouble.name for one in mine for point in part(all_points(one), one)}
    assert met == {trouble.name for trouble in CATALOGUE}


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_effects_are_found_by_running(all_points: All, setting: Setting) -> None:
    assert {point.effect.kind for point in all_points(setting)} >= set(Kind) - {Kind.WRITE}


def test_every_strategy_of_an_engine_is_broken() -> None:
    for name, registered in ENGINES.items():
        broken = {setting.strategy for setting in SETTINGS if setting.engine == name}
        assert broken == registered.engine.strategies


def change_it_to_something_else(target: Target, strategy: Strategy, statement: str) -> list[str]:
    """Let somebody else's password be the user's from there on; what did not hold."""
    setting = next(one for one in SETTINGS if (one.engine, one.strategy) == (target.name, strategy))
    found = [
        p.effect.number for p in points(target, setting) if p.effect.name.startswith(statement)
    ]
    effects = Effects(at=found[0])
    with fresh(target, effects, strategy, rotations_before=0) as schedule:

        def fault(_: object, do: Callable[[], object]) -> None:
            do()
            schedule.server.change_password(schedule.server.base, "nobody knows")
            raise schedule.effects.kill()

        effects.fault = fault
        return schedule.run()


def test_a_password_that_nobody_knows_is_noticed(
    postgres: Postgres, request: pytest.FixtureRequest
) -> None:
    """The harness itself: a change that no version of the secret knows is a lock-out."""
    target = PostgresTarget(postgres)
    wrong = change_it_to_something_else(target, Strategy.SINGLE_USER, "COMMIT")
    assert any("no labelled version logs in" in what for what in wrong)
    mariadb = target_of("mariadb", request)
    wrong = change_it_to_something_else(mariadb, Strategy.DUAL_PASSWORD, "ALTER USER")
    assert any("AWSCURRENT does not log in" in what for what in wrong)
