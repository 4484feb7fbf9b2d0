"""The strategy changes away from dual-password: the second password goes first."""

import json

import pytest

from rekey import errors
from rekey.model import Label, Outcome, SecretMetadata, SecretVersion, Step
from tests.database import new_password
from tests.integration.rotation.two_passwords import STRATEGY_TAG, DualWorld, half_an_attempt
from tests.secret_store import SecretStoreInMemory
from tests.world import ARN, World

OTHERS = ["single-user", "alternating-users"]


@pytest.mark.parametrize("strategy", OTHERS)
def test_the_password_before_current_is_retired_before_the_change(
    dual: DualWorld, strategy: str
) -> None:
    current = dual.world.rotate()
    dual.tags[STRATEGY_TAG] = strategy
    token = dual.world.start()
    dual.run(token, Step.CREATE)
    assert dual.version(Label.RETIRE_FIRST) == token
    assert dual.alive("v1", current) == [True, True]
    dual.run(token, Step.SET)
    assert dual.alive("v1", current) == [False, strategy == "alternating-users"]
    dual.run(token, Step.TEST, Step.FINISH)
    dual.world.store.end_rotation(ARN)
    assert dual.world.settled()


@pytest.mark.parametrize("strategy", OTHERS)
def test_it_is_done_once(dual: DualWorld, strategy: str) -> None:
    dual.world.rotate()
    dual.tags[STRATEGY_TAG] = strategy
    dual.world.rotate()
    assert dual.version(Label.DUAL_PASSWORD) == ""
    token = dual.world.rotate()
    assert dual.version(Label.RETIRE_FIRST) != token
    assert dual.world.settled()


@pytest.mark.parametrize("strategy", OTHERS)
@pytest.mark.parametrize("last", [Step.CREATE, Step.SET, Step.TEST])
def test_a_change_that_was_cut_off_is_made_up_for(
    dual: DualWorld, strategy: str, last: Step
) -> None:
    dual.world.rotate()
    dual.tags[STRATEGY_TAG] = strategy
    half_an_attempt(dual, last)
    dual.world.rotate()
    assert dual.alive("v1") == [False]
    assert dual.version(Label.DUAL_PASSWORD) == ""
    assert dual.world.settled()


@pytest.mark.parametrize("strategy", OTHERS)
def test_a_rotation_cut_off_before_the_change_leaves_no_password_of_its_own(
    dual: DualWorld, strategy: str
) -> None:
    current = dual.world.rotate()
    half_an_attempt(dual, Step.SET)
    dual.tags[STRATEGY_TAG] = strategy
    dual.world.rotate()
    assert dual.alive("v1", current) == [False, strategy == "alternating-users"]
    assert dual.world.settled()


@pytest.mark.parametrize("strategy", OTHERS)
def test_every_step_may_be_repeated(dual: DualWorld, strategy: str) -> None:
    dual.world.rotate()
    dual.tags[STRATEGY_TAG] = strategy
    token = dual.world.start()
    for step in (*Step, *Step):
        for _ in range(2):
            dual.world.step(step, token)
    dual.world.store.end_rotation(ARN)
    assert dual.world.settled()


def test_without_a_superuser_it_says_what_to_store_and_logs_nobody_in(dual: DualWorld) -> None:
    token = dual.world.rotate()
    document = json.loads(dual.world.secret.values[token] or "")
    del document["masterarn"]
    dual.world.secret.put_by_hand(json.dumps(document))
    del dual.tags[STRATEGY_TAG]
    pending = dual.world.start()
    dual.run(pending, Step.CREATE)
    with pytest.raises(errors.UnsupportedStrategy, match='Keep the key "masterarn"'):
        dual.run(pending, Step.SET)
    assert dual.alive("v1", token, pending) == [True, True, False]


def test_back_to_dual_password_goes_on_from_one_password(dual: DualWorld) -> None:
    dual.world.rotate()
    dual.tags[STRATEGY_TAG] = "single-user"
    single = dual.world.rotate()
    dual.tags[STRATEGY_TAG] = "dual-password"
    with dual.sampled():
        token = dual.world.rotate()
        assert dual.alive(single, token) == [True, True]
        assert dual.retire().outcome is Outcome.RETIRED


def test_a_value_that_another_function_stored_gets_the_labels_too(dual: DualWorld) -> None:
    dual.world.rotate()
    dual.tags.update({STRATEGY_TAG: "single-user", "rekey:hosts": "all"})
    token = dual.world.start()
    value = dual.world.document(dual.user, new_password(), masterarn=masterarn(dual))
    foreign = SecretVersion(token, frozenset({Label.PENDING}), value)
    dual.world.store.put_version(ARN, foreign, rotation_token=None)
    dual.run(token, *Step)
    assert dual.version(Label.RETIRE_FIRST) == token
    assert dual.version(Label.ALL_HOSTS) == token
    assert dual.alive("v1") == [False]
    assert dual.world.logs_in(Label.CURRENT)


def masterarn(dual: DualWorld) -> str:
    return str(json.loads(dual.world.secret.values["v1"] or "")["masterarn"])


@pytest.mark.parametrize("strategy", OTHERS)
def test_a_late_duplicate_of_set_secret_retires_nothing_that_is_current_by_then(
    dual: DualWorld, strategy: str
) -> None:
    """It logged in with AWSCURRENT before the promotion, and gets the lock after it."""
    dual.world.rotate()
    dual.tags[STRATEGY_TAG] = strategy
    token = dual.world.start()
    dual.run(token, Step.CREATE)

    class Late(SecretStoreInMemory):
        def describe(self, secret_id: str) -> SecretMetadata:
            if not caught_up:
                caught_up.append(True)
                dual.run(token, Step.TEST, Step.FINISH)
                dual.world.store.end_rotation(ARN)
            return super().describe(secret_id)

    caught_up: list[bool] = []
    dual.run(token, Step.SET)
    if strategy == "single-user":
        # The duplicate's own login with AWSCURRENT came before the first attempt's change.
        current = dual.password(dual.version(Label.CURRENT))
        dual.change_by_hand(dual.password(token), besides=current)
    late = World(dual.world.server, alternating=True, store=Late())
    late.store.secrets = dual.world.store.secrets
    late.step(Step.SET, token)
    assert caught_up
    assert dual.world.logs_in(Label.CURRENT)
