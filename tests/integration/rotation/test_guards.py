"""When a step stops before it changes anything."""

import json
from collections.abc import Callable

import pytest

from rekey import errors
from rekey.model import Label, SecretVersion, Step
from tests.integration.rotation.conftest import logins
from tests.secret_store import SecretStoreInMemory
from tests.world import ARN, World, new_token


class Lagging(SecretStoreInMemory):
    """Answers the first reads of a pending value as if it had not been stored yet."""

    lag = 3

    def get_version(
        self, secret_id: str, version_id: str, label: Label | None = None
    ) -> SecretVersion | None:
        version = super().get_version(secret_id, version_id, label)
        if label is Label.PENDING and version is not None and self.lag:
            self.lag -= 1
            return None
        return version


def test_a_value_that_cannot_be_seen_yet_is_read_again(single: World) -> None:
    world = World(single.server, store=Lagging())
    world.rotate()
    assert world.settled()
    assert world.waited == [0.1, 0.2, 0.4]


def test_a_value_that_is_never_seen_is_not_readable_and_nothing_changes(single: World) -> None:
    store = Lagging()
    store.lag = 99
    world = World(single.server, store=store)
    token = world.start()
    world.step(Step.CREATE, token)
    with pytest.raises(errors.VersionNotReadable):
        world.step(Step.SET, token)
    assert world.logs_in(Label.CURRENT)


def disable(world: World, token: str) -> None:
    del token
    world.secret.rotation_enabled = False


def forget(world: World, token: str) -> None:
    del world.secret.labels[token]
    del world.secret.values[token]


def abandon(world: World, token: str) -> None:
    del token
    world.store.end_rotation(ARN)


@pytest.mark.parametrize(
    ("written", "spoil", "kind"),
    [
        (False, disable, errors.RotationDisabled),
        (True, disable, errors.RotationDisabled),
        (False, forget, errors.VersionUnknown),
        (True, forget, errors.VersionUnknown),
        (False, abandon, errors.VersionUnknown),  # DescribeSecret lists labelled versions only
        (True, abandon, errors.VersionNotPending),
    ],
)
def test_a_rotation_that_may_not_go_on_stops_in_every_step(
    world: World,
    written: bool,
    spoil: Callable[[World, str], None],
    kind: type[errors.RekeyError],
) -> None:
    token = world.start()
    if written:
        world.step(Step.CREATE, token)
    world.secret.labels.setdefault(token, set())
    spoil(world, token)
    checked = [Step.CREATE, Step.FINISH] if spoil is disable and written else list(Step)
    for step in checked:
        with pytest.raises(kind):
            world.step(step, token)
    assert world.logs_in(Label.CURRENT)


def test_finish_promotes_nothing_that_create_secret_did_not_write(world: World) -> None:
    token = world.start()
    with pytest.raises(errors.IntentMissing):
        world.step(Step.FINISH, token)
    assert world.secret.holder(Label.CURRENT) == "v1"


def test_a_promotion_that_lost_a_race_is_not_forced(world: World) -> None:
    class Raced(SecretStoreInMemory):
        def move_label(
            self, secret_id: str, label: Label, *, to: str | None, removed_from: str | None
        ) -> None:
            if label is Label.CURRENT:
                self.secrets[secret_id].values["v2"] = self.secrets[secret_id].values["v1"]
                self.secrets[secret_id].move(Label.CURRENT, "v2")
            super().move_label(secret_id, label, to=to, removed_from=removed_from)

    raced = World(world.server, alternating=world.alternating, store=Raced())
    token = raced.start()
    for step in (Step.CREATE, Step.SET, Step.TEST):
        raced.step(step, token)
    with pytest.raises(errors.LabelMoved):
        raced.step(Step.FINISH, token)
    assert raced.secret.holder(Label.CURRENT) == "v2"


@pytest.mark.parametrize("key", ["host", "port", "username"])
def test_a_rotation_whose_value_does_not_follow_the_current_one_is_given_up(
    world: World, key: str
) -> None:
    token = world.start()
    world.step(Step.CREATE, token)
    document = json.loads(world.secret.values[token] or "")
    document[key] = {"host": "other.example.com", "port": 5433, "username": "postgres"}[key]
    world.secret.values[token] = json.dumps(document)
    before = logins(world)
    with pytest.raises(errors.CredentialMismatch, match="given up"):
        world.step(Step.SET, token)
    assert logins(world) == before
    assert world.secret.holder(Label.PENDING) is None
    world.rotate()
    assert world.settled()


def test_a_current_version_that_is_read_late_is_read_again_and_gives_nothing_up(
    alternating: World,
) -> None:
    """Reads are eventually consistent; the version before would still log in."""
    late = {"v1": 0}

    class Late(SecretStoreInMemory):
        def get_labelled(self, secret_id: str, label: Label) -> SecretVersion:
            if late["v1"] and secret_id == ARN:
                late["v1"] -= 1
                return SecretVersion("v1", frozenset({label}), self.secrets[ARN].values["v1"] or "")
            return super().get_labelled(secret_id, label)

    world = World(alternating.server, alternating=True, store=Late())
    world.rotate()
    token = world.start()
    for step in (Step.CREATE, Step.SET):
        late["v1"] = 1
        with pytest.raises(errors.LabelMoved):
            world.step(step, token)
        world.step(step, token)
    for step in (Step.TEST, Step.FINISH):
        world.step(step, token)
    world.store.end_rotation(ARN)
    assert world.settled()


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"engine": "mysql"}, errors.UnsupportedEngine),
        ({"engine": None}, errors.InvalidSecretValue),
        ({"host": 7}, errors.InvalidSecretValue),
        (
            {"host": "app.proxy-1a2b3c4d5e6f.eu-west-1.rds.amazonaws.com"},
            errors.InvalidSecretValue,
        ),
        ({"password": ""}, errors.InvalidSecretValue),
        ({"username": "ü" * 30}, errors.UserNameTooLong),
        ({"note": "é" * 32_700}, errors.InvalidSecretValue),
    ],
)
def test_a_secret_that_cannot_be_rotated_is_left_as_it_is(
    alternating: World, changes: dict[str, object], kind: type[errors.RekeyError]
) -> None:
    document = {**json.loads(alternating.secret.values["v1"] or ""), **changes}
    alternating.secret.values["v1"] = json.dumps(document, ensure_ascii=False)
    token = alternating.start()
    with pytest.raises(kind):
        alternating.step(Step.CREATE, token)
    assert alternating.secret.values[token] is None
    assert "PutSecretValue" not in alternating.store.calls


@pytest.mark.parametrize("value", ["no json", "[]", '"text"', "null"])
def test_a_value_that_is_no_object_is_left_as_it_is(single: World, value: str) -> None:
    single.secret.values["v1"] = value
    with pytest.raises(errors.InvalidSecretValue):
        single.step(Step.CREATE, single.start())
    assert "PutSecretValue" not in single.store.calls


def test_a_token_of_nobody_is_unknown(world: World) -> None:
    with pytest.raises(errors.VersionUnknown):
        world.step(Step.SET, new_token())
