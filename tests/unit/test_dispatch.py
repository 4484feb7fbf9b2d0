"""Which workflow an event asks for."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekey.dispatch import Dispatcher, Outcome, dispatch
from rekey.errors import InvalidEvent, LabelMoved, SecretAccessDenied
from rekey.model import Execution, Label, SecretMetadata
from tests.secret_store import SecretStoreInMemory

ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders/app-AbCdEf"
FUNCTION = "arn:aws:lambda:eu-central-1:111122223333:function:rekey-rotate-mysql"
SAMPLES = Path(__file__).parents[2] / "events" / "dispatch"
WRITTEN = {Label.INTENT, Label.DUAL_PASSWORD}
GRACE, STALE = 3900, 86_400

Change = Callable[[dict[str, Any]], object]


@dataclass
class Account:
    """Secrets, functions and workflows, as far as a decision can see them."""

    store: SecretStoreInMemory = field(default_factory=SecretStoreInMemory)
    ours: set[str] = field(default_factory=lambda: {FUNCTION})
    started: dict[str, Execution] = field(default_factory=dict)

    def is_ours(self, arn: str) -> bool:
        return arn in self.ours

    def start(self, execution: Execution) -> bool:
        before = execution.name in self.started
        self.started[execution.name] = execution
        return not before

    def handle(self, version: str) -> dict[str, str]:
        return dispatch(Dispatcher(self.store, self, self, GRACE, STALE), promotion(version))

    def only_input(self) -> dict[str, str | int]:
        (execution,) = self.started.values()
        return dict(execution.input)


def promotion(version: str = "v2") -> dict[str, Any]:
    (record,) = json.loads((SAMPLES / "promotion.json").read_text())["Records"]
    event: dict[str, Any] = json.loads(record["body"])
    event["resources"] = [ARN]
    event["detail"]["versionId"] = version
    return event


def account(function: str | None = FUNCTION, **labels: set[Label]) -> Account:
    made = Account()
    secret = made.store.create(ARN, "{}")
    secret.rotation_function = function
    secret.labels = {version: set(held) for version, held in labels.items()}
    return made


def after_a_rotation(function: str | None = FUNCTION) -> Account:
    return account(function, v1={Label.PREVIOUS}, v2={Label.CURRENT, *WRITTEN})


def test_a_dual_password_rotation_is_followed_by_a_retirement_after_the_grace() -> None:
    world = after_a_rotation()
    assert world.handle("v2")["outcome"] == Outcome.STARTED
    assert world.only_input() == {
        "secretId": ARN,
        "versionId": "v2",
        "functionArn": FUNCTION,
        "waitSeconds": GRACE,
        "staleSeconds": STALE,
    }


def test_the_password_of_a_rejected_version_is_retired_at_once() -> None:
    world = account(v1={Label.CURRENT}, v2={Label.PREVIOUS, Label.REJECTED, *WRITTEN})
    assert world.handle("v1")["outcome"] == Outcome.STARTED
    assert world.only_input()["waitSeconds"] == 0


def test_the_same_event_again_starts_nothing_again() -> None:
    world = after_a_rotation()
    outcomes = [world.handle("v2")["outcome"] for _ in range(3)]
    assert outcomes == [Outcome.STARTED, Outcome.STARTED_BEFORE, Outcome.STARTED_BEFORE]
    assert len(world.started) == 1


def test_a_version_that_comes_back_twice_is_followed_by_two_retirements() -> None:
    """v1 was promoted by a rotation; then v2 was rejected, and later v3."""
    world = account(v1={Label.CURRENT, *WRITTEN})
    world.handle("v1")
    labels = world.store.secrets[ARN].labels
    for rejected in ("v2", "v3"):
        labels.clear()
        labels |= {
            "v1": {Label.CURRENT},
            rejected: {Label.PREVIOUS, Label.REJECTED, *WRITTEN},
        }
        assert world.handle("v1")["outcome"] == Outcome.STARTED
    assert len(world.started) == 3


def test_names_of_runs_are_as_short_as_step_functions_wants_them() -> None:
    world = after_a_rotation()
    world.handle("v2")
    (name,) = world.started
    assert len(name) <= 80
    assert name.startswith("retire-")


@pytest.mark.parametrize(
    "world",
    [
        after_a_rotation(function=None),
        after_a_rotation(function=FUNCTION.replace("rekey", "other")),
        account(v1={Label.PREVIOUS}, v2={Label.CURRENT}),
        account(v1={Label.PREVIOUS}, v2={Label.CURRENT, Label.INTENT, Label.SINGLE_USER}),
        account(v2={Label.PREVIOUS, *WRITTEN}, v3={Label.CURRENT}),
        Account(),
    ],
    ids=["no function", "not ours", "by hand", "single-user", "superseded", "deleted"],
)
def test_whatever_needs_no_retirement_starts_nothing_and_says_why(world: Account) -> None:
    answer = world.handle("v2")
    assert answer["outcome"] == Outcome.IGNORED
    assert answer["reason"]
    assert world.started == {}


def test_a_secret_that_may_not_be_described_is_left_alone() -> None:
    class Denying(SecretStoreInMemory):
        def describe(self, secret_id: str) -> SecretMetadata:
            raise SecretAccessDenied(secret_id)

    assert Account(Denying()).handle("v2")["outcome"] == Outcome.IGNORED


def test_a_promotion_that_is_not_seen_yet_comes_again() -> None:
    world = account(v1={Label.CURRENT}, v2={Label.PENDING, *WRITTEN})
    with pytest.raises(LabelMoved):
        world.handle("v2")
    assert world.started == {}


@pytest.mark.parametrize(
    "change",
    [
        lambda event: event.update({"detail-type": "Another"}),
        lambda event: event.pop("detail-type"),
        lambda event: event.pop("detail"),
        lambda event: event["detail"].update(labelUpdated="AWSPREVIOUS"),
        lambda event: event["detail"].pop("versionId"),
        lambda event: event["detail"].update(versionId=1),
        lambda event: event.update(resources=[]),
        lambda event: event.pop("resources"),
        lambda event: event.update(resources=["arn:aws:s3:::bucket"]),
        lambda event: event.update(resources=[None]),
    ],
)
def test_an_event_of_another_shape_is_refused(change: Change) -> None:
    world, event = after_a_rotation(), promotion()
    change(event)
    with pytest.raises(InvalidEvent):
        dispatch(Dispatcher(world.store, world, world, GRACE, STALE), event)
    assert world.started == {}


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(ANY_JSON | st.builds(lambda inner: {**promotion(), "detail": inner}, ANY_JSON))
def test_anything_else_is_refused_without_repeating_what_it_holds(message: Any) -> None:
    world = after_a_rotation()
    with pytest.raises(InvalidEvent) as refused:
        dispatch(Dispatcher(world.store, world, world, GRACE, STALE), message)
    assert str(refused.value).startswith(("The message", "The event"))
