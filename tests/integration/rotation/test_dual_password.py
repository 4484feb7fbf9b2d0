"""dual-password: AWSCURRENT logs in before, while and after, from every start state."""

import json
from collections.abc import Callable

import pytest

from rekey import errors
from rekey.model import Label, Outcome, SecretMetadata, SecretVersion, Step, StepResult
from tests.database import new_password
from tests.integration.rotation.at_once import at_once
from tests.integration.rotation.two_passwords import (
    DualWorld,
    foreign_besides_current,
    half_an_attempt,
    next_generation,
)
from tests.secret_store import SecretStoreInMemory
from tests.world import ARN, SUPERUSER_ARN, World

START_STATES: dict[str, list[Callable[[DualWorld], object]]] = {
    "one generation": [],
    "two generations": [next_generation],
    "three generations": [next_generation, next_generation],
    "two generations, retired": [next_generation, DualWorld.retire],
    "created": [lambda dual: half_an_attempt(dual, Step.CREATE)],
    "set": [lambda dual: half_an_attempt(dual, Step.SET)],
    "set after two generations": [next_generation, lambda dual: half_an_attempt(dual, Step.SET)],
    "tested": [lambda dual: half_an_attempt(dual, Step.TEST)],
    "foreign password besides": [foreign_besides_current],
    "foreign password besides, second": [next_generation, foreign_besides_current],
    "rolled back": [next_generation, DualWorld.roll_back],
    "rolled back and retired": [next_generation, DualWorld.roll_back, DualWorld.retire],
}


@pytest.mark.parametrize("start", START_STATES.values(), ids=START_STATES.keys())
def test_current_logs_in_at_every_sample_from_every_start_state(
    dual: DualWorld, start: list[Callable[[DualWorld], object]]
) -> None:
    with dual.sampled():
        for action in start:
            action(dual)
        before = dual.version(Label.CURRENT)
        token = dual.world.rotate()
        assert dual.version(Label.CURRENT) == token
        assert dual.alive(before, token) == [True, True]
        assert dual.retire().outcome is Outcome.RETIRED
        assert dual.alive(before, token) == [False, True]
    assert dual.world.settled()


def test_the_user_name_never_changes(dual: DualWorld) -> None:
    for _ in range(2):
        value = json.loads(dual.world.secret.values[dual.world.rotate()] or "")
        assert value["username"] == dual.user


def test_a_rotation_before_the_grace_is_over_keeps_two_passwords_and_says_what_it_ends(
    dual: DualWorld,
) -> None:
    first, second = "v1", dual.world.rotate()
    token = dual.world.start()
    dual.run(token, Step.CREATE)
    assert dual.alive(first, second) == [True, True]
    said = dual.world.step(Step.SET, token)
    assert "before them has stopped working" in said.reason
    assert dual.alive(first, second, token) == [False, True, True]
    dual.run(token, Step.TEST, Step.FINISH)
    assert dual.alive(second, token) == [True, True]


@pytest.mark.parametrize("rotations_before", [0, 1])
def test_a_rotation_makes_eleven_calls(dual: DualWorld, rotations_before: int) -> None:
    for _ in range(rotations_before):
        dual.world.rotate()
    dual.world.store.calls.clear()
    dual.world.rotate()
    assert dual.world.store.calls == [
        *["DescribeSecret", "GetSecretValue", "PutSecretValue"],
        *["GetSecretValue", "GetSecretValue", "GetSecretValue"],
        *["DescribeSecret", "DescribeSecret"],
        "GetSecretValue",
        *["DescribeSecret", "UpdateSecretVersionStage"],
    ]


def test_every_step_may_be_repeated_while_current_logs_in(dual: DualWorld) -> None:
    with dual.sampled():
        before, token = dual.version(Label.CURRENT), dual.world.start()
        for step in (*Step, *Step):
            for _ in range(2):
                dual.world.step(step, token)
        assert dual.alive(before, token) == [True, True]


def test_two_writers_at_once_change_what_one_would(dual: DualWorld) -> None:
    dual.world.rotate()
    before, token = dual.version(Label.CURRENT), dual.world.start()
    dual.run(token, Step.CREATE)
    with dual.sampled():
        raised = at_once(*[lambda: dual.world.step(Step.SET, token)] * 3)
        if len(raised) == 3:
            dual.world.step(Step.SET, token)
    assert all(isinstance(error, errors.LockTimeout) for error in raised), raised
    assert dual.alive(before, token) == [True, True]


def test_a_late_duplicate_of_set_secret_changes_nothing(dual: DualWorld) -> None:
    """It read both versions before the promotion, and gets the lock after it and a retirement."""
    token = dual.world.start()
    dual.run(token, Step.CREATE)

    class Late(SecretStoreInMemory):
        def get_labelled(self, secret_id: str, label: Label) -> SecretVersion:
            if secret_id == SUPERUSER_ARN:
                dual.run(token, Step.SET, Step.TEST, Step.FINISH)
                dual.world.store.end_rotation(ARN)
                dual.retire()
            return super().get_labelled(secret_id, label)

    late = stand_in(dual, Late())
    assert late.step(Step.SET, token).outcome is Outcome.NOTHING_TO_DO
    assert dual.alive("v1", token) == [False, True]


def stand_in(dual: DualWorld, store: SecretStoreInMemory) -> World:
    """A second invocation on the same secret, whose calls a test may delay."""
    world = World(dual.world.server, alternating=True, store=store)
    store.secrets = dual.world.store.secrets
    return world


@pytest.mark.parametrize(
    ("meanwhile", "kind"),
    [
        (lambda dual, _: dual.world.store.end_rotation(ARN), errors.VersionNotPending),
        (
            lambda dual, token: dual.world.secret.move(Label.REJECTED, token),
            errors.VersionRejected,
        ),
        (
            lambda dual, _: setattr(dual.world.secret, "rotation_enabled", False),
            errors.RotationDisabled,
        ),
        (
            lambda dual, _: dual.world.secret.move(Label.INTENT, "v1"),
            errors.IntentMissing,
        ),
    ],
    ids=["abandoned", "rejected", "disabled", "intent moved"],
)
def test_what_happened_while_it_waited_for_the_lock_is_seen(
    dual: DualWorld, meanwhile: Callable[[DualWorld, str], None], kind: type[errors.RekeyError]
) -> None:
    token = dual.world.start()
    dual.run(token, Step.CREATE)

    class Meanwhile(SecretStoreInMemory):
        def describe(self, secret_id: str) -> SecretMetadata:
            meanwhile(dual, token)
            return super().describe(secret_id)

    with pytest.raises(kind):
        stand_in(dual, Meanwhile()).step(Step.SET, token)
    assert dual.alive("v1", token) == [True, False]


def test_current_that_moved_while_it_waited_for_the_lock_is_read_again(dual: DualWorld) -> None:
    token = dual.world.start()
    dual.run(token, Step.CREATE)

    class Meanwhile(SecretStoreInMemory):
        def describe(self, secret_id: str) -> SecretMetadata:
            secret = self.secrets[secret_id]
            secret.values["v2"] = secret.values["v1"]
            secret.move(Label.CURRENT, "v2")
            return super().describe(secret_id)

    with pytest.raises(errors.LabelMoved):
        stand_in(dual, Meanwhile()).step(Step.SET, token)
    assert dual.alive("v1", token) == [True, False]


def test_a_current_that_does_not_log_in_never_reaches_the_superuser(dual: DualWorld) -> None:
    """Nor is it tried a third time, however often Secrets Manager repeats the rotation."""
    foreign = new_password()
    dual.change_by_hand(foreign)
    token = dual.world.start()
    dual.world.step(Step.CREATE, token)
    for kind in [errors.CredentialsRejected] * 2 + [errors.TooManyRejectedLogins] * 2:
        with pytest.raises(kind):
            dual.world.step(Step.SET, token)
    assert dual.works(foreign)
    assert dual.alive(token) == [False]


def test_a_current_that_is_refused_right_after_the_change_is_counted_like_one_before_it(
    dual: DualWorld,
) -> None:
    """Somebody has changed the password meanwhile, and has not stored it yet."""
    foreign = new_password()
    token = dual.world.start()
    dual.run(token, Step.CREATE)

    class Meanwhile(SecretStoreInMemory):
        def describe(self, secret_id: str) -> SecretMetadata:
            looks.append(secret_id)
            if len(looks) == 2:  # The first one is before the change.
                dual.world.server.change_password(dual.user, foreign)
            return super().describe(secret_id)

    looks: list[str] = []
    meanwhile = stand_in(dual, Meanwhile())
    for kind in [errors.CredentialsRejected] * 2 + [errors.TooManyRejectedLogins]:
        with pytest.raises(kind):
            meanwhile.step(Step.SET, token)
    assert dual.version(Label.REFUSED_TWICE) == token
    assert dual.works(foreign)


def test_without_a_superuser_it_stops_in_create_secret(dual: DualWorld) -> None:
    document = json.loads(dual.world.secret.values["v1"] or "")
    del document["masterarn"]
    dual.world.secret.values["v1"] = json.dumps(document)
    token = dual.world.start()
    with pytest.raises(errors.UnsupportedStrategy, match="masterarn"):
        dual.world.step(Step.CREATE, token)
    assert dual.world.secret.values[token] is None


@pytest.mark.parametrize("tag", [None, "all"])
def test_a_test_rotation_tries_it_and_changes_nothing(dual: DualWorld, tag: str | None) -> None:
    if tag is not None:
        dual.tags["rekey:hosts"] = tag
    before = (dict(dual.world.secret.values), str(dual.world.secret.labels))
    token = dual.world.start()
    result: StepResult = dual.world.step(Step.TEST, token)
    assert result.outcome is Outcome.DONE
    dual.world.store.end_rotation(ARN)
    del dual.world.secret.values[token], dual.world.secret.labels[token]
    assert (dict(dual.world.secret.values), str(dual.world.secret.labels)) == before
    assert dual.alive("v1") == [True]


@pytest.mark.parametrize("value", ["", "ALL", "%", "localhost"])
def test_a_hosts_tag_that_means_nothing_stops_before_anything_is_stored(
    dual: DualWorld, value: str
) -> None:
    dual.tags["rekey:hosts"] = value
    token = dual.world.start()
    for step in (Step.CREATE, Step.TEST):
        with pytest.raises(errors.InvalidTag, match="rekey:hosts"):
            dual.world.step(step, token)
    assert dual.world.secret.values[token] is None


def test_the_hosts_tag_is_told_to_later_steps_by_a_label(dual: DualWorld) -> None:
    dual.tags["rekey:hosts"] = "all"
    token = dual.world.rotate()
    assert dual.version(Label.ALL_HOSTS) == token
    del dual.tags["rekey:hosts"]
    later = dual.world.rotate()
    assert dual.version(Label.ALL_HOSTS) != later
    assert dual.world.settled()


def test_a_secret_has_no_more_labels_than_the_service_allows() -> None:
    assert len(Label) <= 20
