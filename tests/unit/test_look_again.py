"""Whether the rotation that a recovery has promised is still called for when its time has come."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rekey.errors import InvalidEvent
from rekey.model import Label
from rekey.recovery.again import look_again
from tests.secret_store import StoredSecret
from tests.unit.test_dispatch import ARN, FUNCTION, Account

FAILED = "v0"
SAMPLE = Path(__file__).parents[2] / "events" / "look_up_secret" / "look_again.json"
EVENT = {"secretId": ARN, "versionId": FAILED, "currentVersionId": "v1"}
OWN = "arn:aws:lambda:eu-west-1:111122223333:function:own"


def account() -> Account:
    """A secret that the recovery has left with AWSCURRENT on v1."""
    made = Account()
    made.store.create(ARN, "{}").rotation_function = FUNCTION
    return made


def looked(world: Account, **event: Any) -> dict[str, Any]:
    return look_again(world.store, world, {**EVENT, **event})


def test_it_rotates_again_if_nothing_has_happened_since() -> None:
    assert looked(account()) == {"again": True, "reason": ""}


def test_a_run_that_began_before_an_upgrade_is_understood() -> None:
    world = account()
    event = {key: value for key, value in EVENT.items() if key != "versionId"}
    assert look_again(world.store, world, event)["again"] is True


def test_pending_on_the_version_that_serves_is_no_rotation() -> None:
    world = account()
    world.store.secrets[ARN].move(Label.PENDING, "v1")
    assert looked(world)["again"] is True


@pytest.mark.parametrize(
    ("happened", "told"),
    [
        (lambda secret: setattr(secret, "rotation_enabled", False), "switched rotation off"),
        (lambda secret: setattr(secret, "rotation_function", None), "not Rekey's"),
        (lambda secret: setattr(secret, "rotation_function", OWN), "not Rekey's"),
        (lambda secret: secret.tags.update({"rekey:halted": ""}), "halted"),
        (lambda secret: secret.put_by_hand("{}"), "another version"),
        (lambda secret: secret.move(Label.CURRENT, None), "another version"),
        (lambda secret: secret.move(Label.PENDING, "v2"), "has begun"),
        (lambda secret: secret.move(Label.REJECTED, FAILED), "rolled back"),
    ],
)
def test_it_does_not_if_somebody_has_done_something_since_and_says_what(
    happened: Callable[[StoredSecret], object], told: str
) -> None:
    world = account()
    happened(world.store.secrets[ARN])
    answer = looked(world)
    assert answer["again"] is False
    assert told in answer["reason"]


def test_a_tag_that_says_no_halts_nothing() -> None:
    world = account()
    world.store.secrets[ARN].tags["rekey:halted"] = "false"
    assert looked(world)["again"] is True


def test_a_secret_that_was_deleted_is_left_alone() -> None:
    assert looked(Account())["again"] is False


@pytest.mark.parametrize(
    "wrong",
    [{"secretId": ""}, {"secretId": 7}, {"versionId": None}, {"currentVersionId": None}],
)
def test_an_event_of_another_shape_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidEvent, match="must be"):
        looked(account(), **wrong)


def test_the_sample_event_is_understood() -> None:
    event = json.loads(SAMPLE.read_text())
    world = account()
    world.store.secrets[event["secretId"]] = world.store.secrets[ARN]
    world.store.secrets[ARN].move(Label.CURRENT, event["currentVersionId"])
    assert look_again(world.store, world, event)["again"] is True
