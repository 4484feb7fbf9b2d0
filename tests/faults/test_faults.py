"""A part of the points at which a rotation can break; `make prove` runs them all."""

import json
from collections.abc import Callable
from functools import cache

import pytest

from local.postgres import Postgres
from rekey.errors import CredentialsRejected
from rekey.model import Strategy
from tests.faults.catalogue import CATALOGUE, meanwhile, superuser_rotates
from tests.faults.conftest import target_of
from tests.faults.effects import Effect, Effects, Fault, Kind
from tests.faults.points import (
    REFUSED,
    SETTINGS,
    Course,
    Point,
    Setting,
    break_at,
    one_of_each,
    points,
    settings,
)
from tests.faults.postgresql import PostgresTarget
from tests.faults.preparation import fresh
from tests.faults.schedule import Schedule
from tests.faults.target import Target
from tests.faults.targets import ENGINES
from tests.world import SUPERUSER_ARN

RARE = REFUSED | {Course.FORMERLY_DUAL}
"""Of these a part of the troubles does, to keep the suite within its time."""

All = Callable[[Setting], list[Point]]


@pytest.fixture(scope="session")
def all_points(request: pytest.FixtureRequest) -> All:
    """Found once for all tests."""
    return cache(lambda setting: list(points(target_of(setting.engine, request), setting)))


def part(found: list[Point], setting: Setting) -> list[Point]:
    """Of every other trouble one, at effects far apart; the next setting has those between."""
    seed = SETTINGS.index(setting)
    chosen = one_of_each(found, lambda point: point.trouble, seed)
    if setting.course in RARE:
        return chosen[seed % 5 :: 5]
    return chosen[seed % 2 :: 2]


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
    refused = {Kind.STATEMENT} if setting.course is Course.UNKNOWN else set[Kind]()
    kinds = {point.effect.kind for point in all_points(setting)}
    assert kinds >= set(Kind) - {Kind.WRITE} - refused


def test_every_strategy_of_an_engine_is_broken() -> None:
    for name, registered in ENGINES.items():
        broken = {setting.strategy for setting in SETTINGS if setting.engine == name}
        assert broken == registered.engine.strategies


def broken(
    target: Target, strategy: Strategy, statement: str, make: Callable[[Schedule], Fault]
) -> list[str]:
    """Let that happen at the first such statement; what did not hold."""
    setting = next(one for one in SETTINGS if (one.engine, one.strategy) == (target.name, strategy))
    found = [
        p.effect.number for p in points(target, setting) if p.effect.name.startswith(statement)
    ]
    effects = Effects(at=found[0])
    with fresh(target, effects, strategy, rotations_before=0) as schedule:
        effects.fault = make(schedule)
        return schedule.run()


def change_it(schedule: Schedule) -> None:
    """Let a password that no version of the secret knows be the user's."""
    schedule.server.change_password(schedule.server.base, "nobody knows")


def changed_and_killed(schedule: Schedule) -> Fault:
    def fault(_: Effect, do: Callable[[], object]) -> None:
        do()
        change_it(schedule)
        raise schedule.effects.kill()

    return fault


def test_a_password_that_nobody_knows_is_noticed(
    postgres: Postgres, request: pytest.FixtureRequest
) -> None:
    """The harness itself: a change that no version of the secret knows is a lock-out."""
    wrong = broken(PostgresTarget(postgres), Strategy.SINGLE_USER, "COMMIT", changed_and_killed)
    assert any("no labelled version logs in" in what for what in wrong)
    mariadb = target_of("mariadb", request)
    wrong = broken(mariadb, Strategy.DUAL_PASSWORD, "ALTER USER", changed_and_killed)
    assert any("AWSCURRENT does not log in" in what for what in wrong)


def test_secrets_of_every_kind_are_looked_for_in_all_that_is_told(postgres: Postgres) -> None:
    """The harness itself: the superuser's, those of before, and those that nobody stored."""
    target, strategy = PostgresTarget(postgres), Strategy.ALTERNATING_USERS
    with fresh(target, Effects(), strategy, rotations_before=1) as schedule:
        superuser = schedule.store.secrets[SUPERUSER_ARN]
        before = json.loads(superuser.values["v1"] or "")["password"]
        superuser_rotates(schedule)(Effect(0, Kind.READ, ""), lambda: None)
        after = json.loads(superuser.values["v1"] or "")["password"]
        made = schedule.world.new_password()
        assert schedule.violations() == []
        for secret in (before, after, made, schedule.server.password, postgres.password):
            schedule.told = [f"facts={{'host': 'db', 'why': 'not {secret}'}}"]
            assert any("leaked" in what for what in schedule.violations()), secret
        schedule.told, schedule.traces = [], [f"During handling of {before} another occurred"]
        assert any("leaked" in what for what in schedule.violations())
        schedule.traces = []
        assert schedule.run() == []
        assert any("StepResult" in text for text in schedule.told)


def test_a_third_refused_login_is_noticed_whoever_is_refused(postgres: Postgres) -> None:
    """The harness itself: a second invocation counts, and another rotation does not."""
    setting = Setting("postgres", Strategy.SINGLE_USER, Course.UNKNOWN)
    with fresh(PostgresTarget(postgres), Effects(), setting.strategy, rotations_before=0) as one:
        for token, logins in (("one", 2), ("another", 2), ("a third", 3)):
            for _ in range(logins):
                with (
                    one.effects.aside(),
                    one.effects.on_behalf_of(token),
                    pytest.raises(CredentialsRejected),
                ):
                    one.server.connect(one.server.base, "wrong")
            found = [what for what in one.violations() if "refused" in what]
            assert found == ([] if logins == 2 else [f"3 refused logins of {one.server.base}"])


def test_a_lock_out_that_the_same_step_ends_is_noticed(request: pytest.FixtureRequest) -> None:
    """The harness itself: it looks in the middle of a step too."""
    mariadb = target_of("mariadb", request)
    wrong = broken(
        mariadb,
        Strategy.DUAL_PASSWORD,
        "ALTER USER",
        lambda schedule: meanwhile(schedule, lambda: change_it(schedule)),
    )
    assert wrong == ["setSecret: meanwhile: locked out in the middle of a step"]
