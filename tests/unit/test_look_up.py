"""What the workflow recover gets to know of a secret, and what not."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rekey.errors import InvalidEvent
from rekey.model import Label
from rekey.recovery.look_up import look_up
from tests.unit.test_dispatch import ARN, FUNCTION, Account

SAMPLE = Path(__file__).parents[2] / "events" / "look_up_secret" / "look_up.json"


def account(function: str | None = FUNCTION) -> Account:
    made = Account()
    secret = made.store.create(ARN, "{}", owner="team", note="not for everybody")
    secret.rotation_function = function
    return made


def looked(world: Account, **event: Any) -> dict[str, Any]:
    return look_up(world.store, world, {"secretId": ARN, **event})


def test_it_is_the_function_whose_it_is_and_the_version_that_serves() -> None:
    world = account()
    world.store.secrets[ARN].rotated = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert looked(world) == {
        "secretId": ARN,
        "functionArn": FUNCTION,
        "ours": True,
        "since": "2026-11-24T12:00:00+00:00",
        "currentVersionId": "v1",
    }


def test_no_tag_and_no_label_but_that_is_passed_on() -> None:
    assert "team" not in json.dumps(looked(account()))
    assert "not for everybody" not in json.dumps(looked(account()))


@pytest.mark.parametrize("function", [None, "arn:aws:lambda:eu-west-1:111122223333:function:own"])
def test_what_nobody_or_somebody_else_rotates_is_not_ours(function: str | None) -> None:
    facts = looked(account(function))
    assert (facts["functionArn"], facts["ours"], facts["since"]) == (function or "", False, "never")


def test_a_secret_without_a_value_has_no_version_that_serves() -> None:
    world = account()
    world.store.secrets[ARN].move(Label.CURRENT, None)
    assert looked(world)["currentVersionId"] == ""


@pytest.mark.parametrize("wrong", [None, "", 7])
def test_an_event_without_a_secret_is_refused(wrong: object) -> None:
    with pytest.raises(InvalidEvent, match="secretId"):
        looked(account(), secretId=wrong)


def test_the_sample_event_is_understood() -> None:
    event = json.loads(SAMPLE.read_text())
    world = account()
    world.store.secrets[event["secretId"]] = world.store.secrets[ARN]
    assert look_up(world.store, world, event)["secretId"] == event["secretId"]
