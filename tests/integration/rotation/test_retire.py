"""retire: the old password stops working, once, and never AWSCURRENT's."""

import json
from collections.abc import Callable

import pytest

from rekey import errors
from rekey.model import Label, Outcome, SecretMetadata, Step, WorkflowStep
from tests.database import new_password
from tests.integration.rotation.at_once import at_once
from tests.integration.rotation.two_passwords import (
    DualWorld,
    foreign_besides_current,
    half_an_attempt,
)
from tests.secret_store import SecretStoreInMemory
from tests.world import ARN, SUPERUSER_ARN, World


def test_only_current_logs_in_afterwards_and_a_repeat_changes_nothing(dual: DualWorld) -> None:
    token = dual.world.rotate()
    with dual.sampled():
        for _ in range(2):
            assert dual.retire().outcome is Outcome.RETIRED
            assert dual.alive("v1", token) == [False, True]


def test_a_retirement_that_runs_twice_at_once_ends_as_one(dual: DualWorld) -> None:
    token = dual.world.rotate()
    with dual.sampled():
        raised = at_once(dual.retire, dual.retire, dual.retire)
        if len(raised) == 3:
            dual.retire()
    assert all(isinstance(error, errors.LockTimeout) for error in raised), raised
    assert dual.alive("v1", token) == [False, True]


def test_a_foreign_password_is_retired_too(dual: DualWorld) -> None:
    token = dual.world.rotate()
    foreign_besides_current(dual)
    assert dual.retire().outcome is Outcome.RETIRED
    assert dual.alive("v1", token) == [False, True]


def edit_by_hand(dual: DualWorld) -> None:
    current = dual.world.secret.values[dual.version(Label.CURRENT)] or ""
    dual.world.secret.put_by_hand(json.dumps({**json.loads(current), "note": "edited"}))


def move_back_only(dual: DualWorld) -> None:
    dual.world.secret.move(Label.CURRENT, dual.version(Label.PREVIOUS))


def reject_only(dual: DualWorld) -> None:
    dual.world.secret.move(Label.REJECTED, dual.version(Label.CURRENT))


def start_only(dual: DualWorld) -> None:
    dual.world.start()


def start_and_set(dual: DualWorld) -> None:
    dual.run(dual.world.start(), Step.CREATE, Step.SET)


def interrupt(dual: DualWorld) -> None:
    half_an_attempt(dual, Step.SET)


def hold(dual: DualWorld) -> None:
    dual.tags["rekey:hold"] = "until the audit is over"


def switch_off(dual: DualWorld) -> None:
    dual.world.secret.rotation_enabled = False


OBSTACLES: list[tuple[Callable[[DualWorld], None], Outcome]] = [
    (edit_by_hand, Outcome.SUPERSEDED),
    (move_back_only, Outcome.SUPERSEDED),
    (reject_only, Outcome.SUPERSEDED),
    (interrupt, Outcome.SUPERSEDED),
    (start_only, Outcome.BUSY),
    (hold, Outcome.HELD),
    (switch_off, Outcome.HELD),
]
"""What keeps the two passwords as they are, and what the workflow is told."""


@pytest.mark.parametrize(("obstacle", "outcome"), OBSTACLES)
def test_it_acts_only_on_a_promotion_that_nothing_followed(
    dual: DualWorld, obstacle: Callable[[DualWorld], None], outcome: Outcome
) -> None:
    token = dual.world.rotate()
    obstacle(dual)
    known = dual.version(Label.CURRENT), dual.version(Label.PREVIOUS)
    before = dual.alive(*known)
    dual.world.store.calls.clear()
    asked = {version: dual.retire(version).outcome for version in {token, known[0]}}
    assert outcome in asked.values()
    assert set(asked.values()) <= {outcome, Outcome.SUPERSEDED}
    assert set(dual.world.store.calls) == {"DescribeSecret"}
    assert dual.alive(*known) == before


@pytest.mark.parametrize(
    ("obstacle", "outcome"), [pair for pair in OBSTACLES if pair[0] is not interrupt]
)
def test_an_obstacle_that_comes_while_it_waits_for_the_lock_is_seen(
    dual: DualWorld, obstacle: Callable[[DualWorld], None], outcome: Outcome
) -> None:
    token = dual.world.rotate()
    described: list[str] = []

    class Meanwhile(SecretStoreInMemory):
        def describe(self, secret_id: str) -> SecretMetadata:
            if described:
                obstacle(dual)
            described.append(secret_id)
            return super().describe(secret_id)

    world = World(dual.world.server, alternating=True, store=Meanwhile())
    world.store.secrets = dual.world.store.secrets
    assert world.step(WorkflowStep.RETIRE, token).outcome in (outcome, Outcome.SUPERSEDED)
    assert dual.alive("v1", token) == [True, True]


def test_a_rotation_that_has_set_its_password_keeps_it(dual: DualWorld) -> None:
    dual.world.rotate()
    start_and_set(dual)
    pending = dual.version(Label.PENDING)
    assert dual.retire().outcome is not Outcome.RETIRED
    assert dual.alive(dual.version(Label.CURRENT), pending) == [True, True]


def test_set_against_retire_at_once_costs_current_no_login(dual: DualWorld) -> None:
    """Whoever comes first: AWSCURRENT logs in, and a setSecret that has ended is kept."""
    for _ in range(3):
        before = dual.world.rotate()
        token = dual.world.start()
        with dual.sampled():
            dual.run(token, Step.CREATE)
            raised = at_once(lambda: dual.world.step(Step.SET, token), dual.retire)  # noqa: B023 - over before the next turn
        assert raised == []
        assert dual.alive(before, token) == [True, True]
        dual.run(token, Step.TEST, Step.FINISH)
        dual.world.store.end_rotation(ARN)
        assert dual.world.settled()


def test_a_retirement_of_an_older_promotion_is_superseded(dual: DualWorld) -> None:
    older = dual.world.rotate()
    newer = dual.world.rotate()
    assert dual.retire(older).outcome is Outcome.SUPERSEDED
    assert dual.alive(older, newer) == [True, True]


def test_after_a_roll_back_the_rejected_password_goes(dual: DualWorld) -> None:
    rejected = dual.world.rotate()
    dual.roll_back()
    with dual.sampled():
        assert dual.alive("v1", rejected) == [True, True]
        assert dual.retire().outcome is Outcome.RETIRED
        assert dual.alive("v1", rejected) == [True, False]
        dual.world.rotate()
    assert dual.alive("v1") == [True]
    assert dual.world.settled()


def test_a_current_that_does_not_log_in_stops_it_before_the_superuser(dual: DualWorld) -> None:
    dual.world.rotate()
    foreign = new_password()
    dual.change_by_hand(foreign)
    for kind in [errors.CredentialsRejected] * 2 + [errors.TooManyRejectedLogins] * 2:
        with pytest.raises(kind):
            dual.retire()
    assert dual.works(foreign)


def test_a_superuser_that_is_refused_is_tried_twice_at_most(dual: DualWorld) -> None:
    token = dual.world.rotate()
    dual.world.store.secrets[SUPERUSER_ARN].values["v1"] = dual.world.document(
        json.loads(dual.world.store.secrets[SUPERUSER_ARN].values["v1"] or "")["username"],
        new_password(),
    )
    for kind in [errors.SuperuserRejected] * 2 + [errors.TooManyRejectedLogins]:
        with pytest.raises(kind):
            dual.retire()
    assert dual.alive("v1", token) == [True, True]


@pytest.mark.parametrize("tag_taken_off", [False, True])
def test_every_account_is_retired_that_was_given_two_passwords(
    dual: DualWorld, tag_taken_off: bool
) -> None:
    dual.tags["rekey:hosts"] = "all"
    token = dual.world.rotate()
    if tag_taken_off:
        del dual.tags["rekey:hosts"]
    assert dual.retire().outcome is Outcome.RETIRED
    assert dual.alive("v1", token) == [False, True]
