"""Which failures of rotations start a recovery, and what it is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from rekey.dispatch import Outcome, dispatch
from rekey.dispatch.promotions import Dispatcher
from rekey.errors import InvalidEvent
from rekey.model import Happened
from tests.unit.test_dispatch import GRACE, STALE, Account

SAMPLE = Path(__file__).parents[2] / "events" / "changes" / "rotation_failed.json"
ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app/db-AbCdEf"
TOKEN = "22222222-2222-4222-8222-222222222222"


def failed(**detail: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(SAMPLE.read_text())
    event["detail"] |= detail
    return event


def handle(world: Account, event: dict[str, Any]) -> dict[str, str]:
    return dispatch(Dispatcher(world.store, world, world, GRACE, STALE), event)


def test_a_failed_rotation_starts_a_recovery_that_knows_the_step_and_the_version() -> None:
    world = Account()
    assert handle(world, failed())["outcome"] == Outcome.STARTED
    assert world.only_input() == {
        "secretId": ARN,
        "versionId": TOKEN,
        "happened": "setSecret failed",
    }


@pytest.mark.parametrize(
    ("step", "happened"),
    [
        ("createSecret", Happened.CREATE_FAILED),
        ("testSecret", Happened.TEST_FAILED),
        ("finishSecret", Happened.FINISH_FAILED),
        ("dropSecret", Happened.STUCK),
    ],
)
def test_the_step_is_read_from_the_service_s_own_words(step: str, happened: Happened) -> None:
    world = Account()
    handle(world, failed(errorMessage=f"Error when executing lambda arn during {step} step"))
    assert world.only_input()["happened"] == happened


def test_an_abandoned_rotation_starts_one_though_it_names_no_version() -> None:
    world = Account()
    handle(world, failed(eventName="RotationAbandoned", requestID="b3f7", errorMessage=None))
    assert world.only_input() == {"secretId": ARN, "happened": Happened.ABANDONED}


def test_the_same_event_again_starts_nothing_and_another_failure_does() -> None:
    world = Account()
    outcomes = [
        handle(world, event)["outcome"] for event in (failed(), failed(), failed(eventID="other"))
    ]
    assert outcomes == [Outcome.STARTED, Outcome.STARTED_BEFORE, Outcome.STARTED]
    assert all(len(name) <= 80 and name.startswith("recover-") for name in world.started)


@pytest.mark.parametrize(
    "detail",
    [
        {"additionalEventData": {}},
        {"eventName": "RotationSucceeded"},
        {"eventName": None},
        {"eventID": None},
    ],
)
def test_an_event_of_another_shape_is_refused(detail: dict[str, Any]) -> None:
    world = Account()
    with pytest.raises(InvalidEvent):
        handle(world, failed(**detail))
    assert world.started == {}
