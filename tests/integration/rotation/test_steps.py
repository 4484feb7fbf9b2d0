"""The rotation core, step by step, against a real server."""

import json
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rekey import errors
from rekey.model import Label, Outcome, SecretVersion, Step
from tests.integration.rotation.at_once import at_once
from tests.integration.rotation.conftest import logins
from tests.secret_store import SecretStoreInMemory
from tests.world import ARN, World

PASSING = {errors.ConcurrentChange, errors.LockTimeout}
"""What may come of it for one of them, and is tried again."""
REFUSED_AT_ONCE = {errors.LabelMoved}
"""The same of setSecret: two were refused the former password, as a third had just changed it."""


def test_three_rotations_in_a_row_end_with_a_current_that_logs_in(world: World) -> None:
    seen = {world.secret.values["v1"]}
    for _ in range(3):
        before = world.secret.holder(Label.CURRENT)
        token = world.rotate()
        assert world.settled()
        assert world.secret.holder(Label.CURRENT) == token
        assert world.secret.holder(Label.PREVIOUS) == before
        assert world.logs_in(Label.PREVIOUS) is world.alternating
        seen.add(world.secret.values[token])
    assert len(seen) == 4


def test_each_step_thrice_at_once_ends_as_if_it_had_run_once(world: World) -> None:
    """Secrets Manager calls a step again when the answer is late, and the first may still run."""
    for _ in range(5):
        before, token = world.secret.holder(Label.CURRENT), world.start()
        for step in (Step.CREATE, Step.SET, Step.TEST, Step.FINISH):
            raised = at_once(*[partial(world.step, step, token)] * 3)
            passing = PASSING | (REFUSED_AT_ONCE if step is Step.SET else set())
            assert {type(error) for error in raised} <= passing, (step, raised)
            if len(raised) == 3:
                world.step(step, token)
            assert world.logs_in(Label.CURRENT) or world.logs_in(Label.PENDING)
        world.store.end_rotation(ARN)
        assert world.settled()
        assert world.secret.holder(Label.CURRENT) == token
        assert world.secret.holder(Label.PREVIOUS) == before


def test_alternating_users_take_turns_and_unknown_keys_stay(alternating: World) -> None:
    document = json.loads(alternating.secret.values["v1"] or "")
    alternating.secret.values["v1"] = json.dumps({**document, "owner": "team"})
    names = []
    for _ in range(3):
        value = json.loads(alternating.secret.values[alternating.rotate()] or "")
        assert value["owner"] == "team"
        names.append(value["username"])
    base, clone = alternating.server.base, alternating.server.clone
    assert names == [clone, base, clone]


@pytest.mark.parametrize("rotations_before", [0, 1])
def test_a_rotation_makes_few_calls_and_logins_and_none_that_fails(
    world: World, rotations_before: int
) -> None:
    for _ in range(rotations_before):
        world.rotate()
    world.store.calls.clear()
    let_in, refused = logins(world)
    world.rotate()
    superuser = ["GetSecretValue"] if world.alternating else []
    assert world.store.calls == [
        *["DescribeSecret", "GetSecretValue", "PutSecretValue"],
        *["GetSecretValue", "GetSecretValue", *superuser],
        "GetSecretValue",
        *["DescribeSecret", "UpdateSecretVersionStage"],
    ]
    after_let_in, after_refused = logins(world)
    assert after_let_in - let_in == (3 if world.alternating else 2)
    assert after_refused == refused


ATTEMPTS = st.lists(
    st.tuples(st.integers(1, len(Step)), st.lists(st.integers(1, 2), min_size=4, max_size=4)),
    min_size=1,
    max_size=4,
)
"""How many steps each attempt gets to, and how often each of them runs."""


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(ATTEMPTS)
def test_attempts_cut_off_anywhere_and_steps_run_twice_lock_nobody_out(
    world: World, attempts: list[tuple[int, list[int]]]
) -> None:
    """Secrets Manager repeats a whole rotation, from createSecret, after any step that failed."""
    token = world.start()
    for length, times in attempts:
        for step, repeated in list(zip(Step, times, strict=True))[:length]:
            for _ in range(repeated):
                world.step(step, token)
                current = world.logs_in(Label.CURRENT)
                assert current or (not world.alternating and world.logs_in(Label.PENDING))
    for step in Step:
        world.step(step, token)
    world.store.end_rotation(ARN)
    assert world.settled()
    assert world.secret.holder(Label.CURRENT) == token


@pytest.mark.parametrize("step", list(Step))
def test_a_step_repeated_after_the_end_changes_nothing(world: World, step: Step) -> None:
    token = world.rotate()
    before = (dict(world.secret.values), str(world.secret.labels))
    for _ in range(2):
        assert world.step(step, token).outcome is Outcome.NOTHING_TO_DO
    assert (dict(world.secret.values), str(world.secret.labels)) == before
    assert world.settled()


def test_the_rotation_token_goes_along_with_the_value(single: World) -> None:
    tokens: list[str | None] = []

    class Recording(SecretStoreInMemory):
        def put_version(
            self, secret_id: str, version: SecretVersion, *, rotation_token: str | None
        ) -> bool:
            tokens.append(rotation_token)
            return super().put_version(secret_id, version, rotation_token=rotation_token)

    world = World(single.server, store=Recording())
    world.step(Step.CREATE, world.start(), rotation_token="r" * 40)
    assert tokens == ["r" * 40]


def test_a_rotation_while_the_server_is_down_leaves_the_current_credential(world: World) -> None:
    token = world.start()
    world.step(Step.CREATE, token)
    world.server.own.stop()
    try:
        with pytest.raises(errors.DatabaseUnreachable, match="refused"):
            world.step(Step.SET, token)
    finally:
        world.server.own.start()
    assert world.logs_in(Label.CURRENT)
    for step in Step:
        world.step(step, token)
    world.store.end_rotation(ARN)
    assert world.settled()
