"""Which failures of rotations start a recovery, and what it is told."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from rekey.dispatch import Outcome, dispatch
from rekey.dispatch.promotions import Dispatcher
from rekey.errors import InvalidEvent, SecretAccessDenied
from rekey.model import Happened, SecretMetadata
from tests.secret_store import SecretStoreInMemory
from tests.unit.test_dispatch import GRACE, STALE, Account

SAMPLE = Path(__file__).parents[2] / "events" / "changes" / "rotation_failed.json"
ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app/db-AbCdEf"
WHEN = json.loads(SAMPLE.read_text())["detail"]["eventTime"].replace("Z", "+00:00")
TOKEN = "22222222-2222-4222-8222-222222222222"


def failed(**detail: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(SAMPLE.read_text())
    event["detail"] |= detail
    return event


def account(rotated: str = "2026-11-20T00:00:00Z") -> Account:
    """With the secret, which was rotated last at this time."""
    world = Account()
    world.store.create(ARN, "{}").rotated = datetime.fromisoformat(rotated)
    return world


def handle(world: Account, event: dict[str, Any]) -> dict[str, str]:
    return dispatch(Dispatcher(world.store, world, world, GRACE, STALE), event)


def test_a_failed_rotation_starts_a_recovery_that_knows_the_step_and_the_version() -> None:
    world = account()
    assert handle(world, failed())["outcome"] == Outcome.STARTED
    assert world.only_input() == {
        "secretId": ARN,
        "versionId": TOKEN,
        "happened": "setSecret failed",
        "failedAt": WHEN,
    }


def test_a_failed_rotation_of_a_secret_that_another_service_manages_names_it_like_any_other() -> (
    None
):
    world, managed = account(), ARN.replace("app/db", "rds!cluster-0a1b2c")
    world.store.create(managed, "{}")
    event = json.loads(json.dumps(failed()).replace(ARN, managed))
    handle(world, event)
    assert world.only_input()["secretId"] == managed


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
    world = account()
    handle(world, failed(errorMessage=f"Error when executing lambda arn during {step} step"))
    assert world.only_input()["happened"] == happened


def test_an_abandoned_rotation_starts_one_though_it_names_no_version() -> None:
    world = account()
    handle(world, failed(eventName="RotationAbandoned", requestID="b3f7", errorMessage=None))
    assert world.only_input() == {
        "secretId": ARN,
        "happened": Happened.ABANDONED,
        "failedAt": WHEN,
    }


def test_the_same_event_again_starts_nothing_and_another_failure_does() -> None:
    world = account()
    outcomes = [
        handle(world, event)["outcome"] for event in (failed(), failed(), failed(eventID="other"))
    ]
    assert outcomes == [Outcome.STARTED, Outcome.STARTED_BEFORE, Outcome.STARTED]
    assert all(len(name) <= 80 and name.startswith("recover-") for name in world.started)


@pytest.mark.parametrize(
    ("rotated", "outcome"),
    [
        ("2026-11-24T11:59:59.999Z", Outcome.STARTED),
        # Within the second of the record, nobody knows which came first.
        ("2026-11-24T12:00:00.999Z", Outcome.STARTED),
        ("2026-11-24T12:00:01Z", Outcome.IGNORED),
        ("2026-11-26T00:00:00Z", Outcome.IGNORED),
    ],
)
@pytest.mark.parametrize("step", ["createSecret", "setSecret", "testSecret", "finishSecret"])
def test_a_failure_that_is_told_after_a_later_success_is_over(
    rotated: str, outcome: Outcome, step: str
) -> None:
    world = account(rotated)
    event = failed(errorMessage=f"Error when executing lambda arn during {step} step")
    answer = handle(world, event)
    assert (answer["outcome"], len(world.started)) == (outcome, int(outcome is Outcome.STARTED))
    assert answer["reason"]


def test_a_secret_that_is_gone_is_not_recovered() -> None:
    assert handle(Account(), failed())["outcome"] == Outcome.IGNORED


def test_a_secret_that_may_not_be_described_is_left_to_the_recovery_which_says_so() -> None:
    class Denying(SecretStoreInMemory):
        def describe(self, secret_id: str) -> SecretMetadata:
            raise SecretAccessDenied(secret_id)

    assert handle(Account(Denying()), failed())["outcome"] == Outcome.STARTED


@pytest.mark.parametrize(
    "detail",
    [
        {"additionalEventData": {}},
        {"eventName": "RotationSucceeded"},
        {"eventName": None},
        {"eventID": None},
        {"eventTime": None},
    ],
)
def test_an_event_of_another_shape_is_refused(detail: dict[str, Any]) -> None:
    world = account()
    with pytest.raises(InvalidEvent):
        handle(world, failed(**detail))
    assert world.started == {}
