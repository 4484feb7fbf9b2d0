"""A rotation that was cut off, and what the next one does with its password."""

import json

import pytest
from pg8000.native import literal

from rekey import errors
from rekey.model import Label, SecretVersion, Step
from tests.database import new_password
from tests.secret_store import SecretStoreInMemory
from tests.world import ARN, SUPERUSER_ARN, World


@pytest.mark.parametrize("last", [Step.CREATE, Step.SET, Step.TEST])
def test_an_abandoned_rotation_goes_on_with_its_password_under_the_next_token(
    world: World, last: Step
) -> None:
    """RotationAbandoned takes AWSPENDING away, and so does an operator who starts anew."""
    abandoned = world.start()
    for step in list(Step)[: list(Step).index(last) + 1]:
        world.step(step, abandoned)
    world.store.end_rotation(ARN)
    assert world.logs_in(Label.CURRENT) or world.logs_in(Label.INTENT)
    meant = json.loads(world.secret.values[abandoned] or "")["password"]
    token = world.rotate()
    assert json.loads(world.secret.values[token] or "")["password"] == meant
    assert world.settled()


def changed(world: World, **keys: str) -> str:
    """AWSCURRENT's value with some keys changed."""
    current = world.secret.values[world.secret.holder(Label.CURRENT) or ""] or ""
    return json.dumps({**json.loads(current), **keys})


@pytest.mark.parametrize("keys", [{"host": "localhost"}, {"masterarn": SUPERUSER_ARN}])
def test_an_edit_after_an_interruption_never_costs_the_only_live_password(
    single: World, keys: dict[str, str]
) -> None:
    """The server has the interrupted password, and the edited secret cannot go on with it."""
    interrupted = single.start()
    for step in (Step.CREATE, Step.SET):
        single.step(step, interrupted)
    single.secret.put_by_hand(changed(single, **keys))
    for _ in range(3):
        token = single.start()
        with pytest.raises(errors.InterruptedRotation, match=interrupted):
            single.step(Step.CREATE, token)
        single.store.end_rotation(ARN)
        assert single.logs_in(Label.INTENT)


def test_an_edit_after_an_interruption_that_changed_nothing_is_rotated(single: World) -> None:
    single.step(Step.CREATE, single.start())
    single.secret.put_by_hand(changed(single, host="localhost"))
    single.rotate()
    assert single.settled()


def test_the_live_password_put_by_hand_after_an_interruption_is_rotated(single: World) -> None:
    interrupted = single.start()
    for step in (Step.CREATE, Step.SET):
        single.step(step, interrupted)
    meant = json.loads(single.secret.values[interrupted] or "")["password"]
    single.secret.put_by_hand(changed(single, password=meant))
    token = single.rotate()
    assert json.loads(single.secret.values[token] or "")["password"] != meant
    assert single.settled()


def test_a_password_that_was_superseded_by_hand_is_never_brought_back(single: World) -> None:
    """Its version has REKEY_INTENT and no other label, like one that was interrupted."""
    old = json.loads(single.secret.values[single.rotate()] or "")["password"]
    for _ in range(2):
        password = new_password()
        single.server.execute(f"ALTER ROLE {single.server.base} PASSWORD {literal(password)}")
        single.secret.put_by_hand(changed(single, password=password))
    token = single.rotate()
    assert json.loads(single.secret.values[token] or "")["password"] != old
    assert single.settled()


def test_an_interrupted_value_that_cannot_be_seen_yet_is_waited_for(single: World) -> None:
    class LateIntent(SecretStoreInMemory):
        lag = 0

        def get_version(
            self, secret_id: str, version_id: str, label: Label | None = None
        ) -> SecretVersion | None:
            if label is Label.INTENT and self.lag:
                self.lag -= 1
                return None
            return super().get_version(secret_id, version_id, label)

    store = LateIntent()
    world = World(single.server, store=store)
    interrupted = world.start()
    for step in (Step.CREATE, Step.SET):
        world.step(step, interrupted)
    world.store.end_rotation(ARN)
    store.lag = 2
    token = world.rotate()
    assert world.secret.values[token] == world.secret.values[interrupted]
    assert world.settled()


def test_another_function_s_value_never_pushes_an_interrupted_password_out(single: World) -> None:
    interrupted = single.start()
    for step in (Step.CREATE, Step.SET):
        single.step(step, interrupted)
    single.store.end_rotation(ARN)
    token = single.start()
    foreign = SecretVersion(
        token, frozenset({Label.PENDING}), single.document(single.server.base, new_password())
    )
    single.store.put_version(ARN, foreign, rotation_token=None)
    with pytest.raises(errors.InterruptedRotation):
        single.step(Step.CREATE, token)
    assert single.logs_in(Label.INTENT)


def test_a_version_that_was_rejected_is_not_gone_on_with(world: World) -> None:
    rejected = world.start()
    world.step(Step.CREATE, rejected)
    world.secret.move(Label.REJECTED, rejected)
    for step in Step:
        with pytest.raises(errors.VersionRejected):
            world.step(step, rejected)
    world.store.end_rotation(ARN)
    token = world.rotate()
    assert world.secret.values[token] != world.secret.values[rejected]
    assert world.settled()


def test_a_value_under_the_token_is_kept_and_gets_our_labels(single: World) -> None:
    """AWS's template may have run createSecret just before the function was exchanged."""
    token = single.start()
    value = single.document(single.server.base, new_password())
    single.store.put_version(
        ARN, SecretVersion(token, frozenset({Label.PENDING}), value), rotation_token=None
    )
    with pytest.raises(errors.IntentMissing):
        single.step(Step.SET, token)
    for step in Step:
        single.step(step, token)
    assert single.secret.values[token] == value
    assert single.logs_in(Label.CURRENT)
