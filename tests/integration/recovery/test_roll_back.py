"""rollBack: for every strategy, by hand and against a retry that comes meanwhile."""

import pytest

from rekey import errors
from rekey.model import Label, Outcome, Step, Strategy, WorkflowStep
from tests.integration.recovery.recovery import Broken
from tests.secret_store import SecretStoreInMemory
from tests.world import World


def test_the_former_version_serves_again_after_a_rotation_that_succeeded(any_kind: Broken) -> None:
    former, bad = any_kind.version(Label.CURRENT), any_kind.world.rotate()
    assert any_kind.roll_back(bad) == [Outcome.DONE, Outcome.NOTHING_TO_DO]
    assert any_kind.version(Label.CURRENT) == former
    assert any_kind.version(Label.REJECTED) == bad
    any_kind.verify()
    assert any_kind.settled()
    if any_kind.strategy is Strategy.SINGLE_USER:
        assert not any_kind.works(bad)


def test_twice_in_a_row_does_not_bring_the_bad_version_back(any_kind: Broken) -> None:
    former, bad = any_kind.version(Label.CURRENT), any_kind.world.rotate()
    for _ in range(2):
        any_kind.roll_back(any_kind.version(Label.CURRENT))
        assert any_kind.version(Label.CURRENT) == former
    assert any_kind.version(Label.REJECTED) == bad
    assert any_kind.settled()


def test_a_rotation_after_it_makes_up_a_new_password_and_can_be_rolled_back_too(
    any_kind: Broken,
) -> None:
    former, bad = any_kind.version(Label.CURRENT), any_kind.world.rotate()
    any_kind.roll_back(bad)
    again = any_kind.world.rotate()
    assert any_kind.password(again) not in (any_kind.password(former), any_kind.password(bad))
    assert any_kind.settled()
    any_kind.roll_back(again)
    assert any_kind.version(Label.CURRENT) == former
    assert any_kind.settled()


def test_a_version_that_was_rejected_before_never_comes_back_by_a_later_roll_back(
    each_strategy: Broken,
) -> None:
    """There is one label for rejected versions, and a pending one takes it."""
    former, bad = each_strategy.version(Label.CURRENT), each_strategy.world.rotate()
    each_strategy.roll_back(bad)
    pending = each_strategy.rotate_until(Step.CREATE)
    each_strategy.roll_back(pending)
    assert each_strategy.version(Label.REJECTED) == pending
    with pytest.raises(errors.NothingToRollBackTo):
        each_strategy.roll_back(former)
    assert each_strategy.version(Label.CURRENT) == former
    assert each_strategy.settled()


def test_what_a_roll_back_has_come_to_is_told_and_not_what_was_asked_for(
    each_strategy: Broken,
) -> None:
    former, bad = each_strategy.version(Label.CURRENT), each_strategy.world.rotate()
    rejects = [each_strategy.world.step(WorkflowStep.ROLL_BACK, which) for which in (bad, bad)]
    again = each_strategy.world.step(WorkflowStep.ROLL_BACK, former)
    assert [result.facts["undone"] for result in (*rejects, again)] == ["yes", "yes", "no"]
    assert (again.outcome, again.facts["currentVersionId"]) == (Outcome.NOTHING_TO_DO, former)


def test_a_rotation_that_has_stored_no_value_is_stopped_and_nothing_is_to_be_undone(
    each_strategy: Broken,
) -> None:
    former, bad = each_strategy.version(Label.CURRENT), each_strategy.world.start()
    told = [each_strategy.world.step(WorkflowStep.ROLL_BACK, bad) for _ in range(2)]
    assert [result.outcome for result in told] == [Outcome.DONE, Outcome.NOTHING_TO_DO]
    assert {result.facts["undone"] for result in told} == {"nothing"}
    assert each_strategy.version(Label.CURRENT) == former
    assert each_strategy.version(Label.REJECTED) == ""
    with pytest.raises(errors.GuardError):
        each_strategy.world.step(Step.CREATE, bad)
    assert each_strategy.settled()


def test_a_first_version_has_nothing_to_go_back_to(each_strategy: Broken) -> None:
    with pytest.raises(errors.NothingToRollBackTo):
        each_strategy.roll_back(each_strategy.version(Label.CURRENT))
    assert each_strategy.version(Label.REJECTED) == ""
    assert each_strategy.settled()


def test_a_password_that_was_retired_works_again(dual: Broken) -> None:
    former, bad = dual.version(Label.CURRENT), dual.world.rotate()
    dual.world.step(WorkflowStep.RETIRE, bad)
    assert not dual.works(former)
    dual.roll_back(bad)
    assert dual.version(Label.CURRENT) == former
    assert dual.settled()
    assert dual.works(bad)  # Who still has it is served, until it is retired.


def test_the_other_user_s_password_is_set_again_if_it_was_changed(alternating: Broken) -> None:
    former, bad = alternating.version(Label.CURRENT), alternating.world.rotate()
    server = alternating.world.server
    server.change_password(server.base, "another, for which there is no version")
    alternating.roll_back(bad)
    assert alternating.version(Label.CURRENT) == former
    assert alternating.settled()


def test_nothing_is_touched_if_no_login_shows_the_way(any_kind: Broken) -> None:
    bad = any_kind.world.rotate()
    any_kind.world.server.drop_users(any_kind.world.server.clone, any_kind.world.server.base)
    labels = {version: set(held) for version, held in any_kind.world.secret.labels.items()}
    with pytest.raises(errors.CredentialsRejected):
        any_kind.world.step(WorkflowStep.ROLL_BACK, bad)
    moved = {version: set(held) for version, held in any_kind.world.secret.labels.items()}
    refused = {Label.REFUSED_ONCE, Label.REFUSED_TWICE}
    assert {version: held - refused for version, held in moved.items()} == labels


class Retried(SecretStoreInMemory):
    """Between any two calls of a roll back, Secrets Manager repeats a step of the bad version."""

    def __init__(self) -> None:
        super().__init__()
        self.retry: list[Step] = []
        self.world: World | None = None
        self.token = ""
        self.raised: list[type[BaseException]] = []

    def move_label(
        self, secret_id: str, label: Label, *, to: str | None, removed_from: str | None
    ) -> None:
        super().move_label(secret_id, label, to=to, removed_from=removed_from)
        steps, self.retry = self.retry, []
        for step in steps:
            try:
                assert self.world is not None
                self.world.step(step, self.token)
            except errors.RekeyError as error:
                self.raised.append(type(error))
        self.retry = steps


def retried(broken: Broken) -> Retried:
    store = Retried()
    store.secrets = broken.world.store.secrets
    broken.world.store = store
    store.world = broken.world
    return store


@pytest.mark.parametrize("step", list(Step))
def test_a_retry_that_comes_meanwhile_neither_changes_the_server_nor_the_labels(
    each_strategy: Broken, step: Step
) -> None:
    former = each_strategy.version(Label.CURRENT)
    bad = each_strategy.world.rotate()
    store = retried(each_strategy)
    store.token, store.retry = bad, [step]
    each_strategy.roll_back(bad)
    store.retry = []
    assert each_strategy.version(Label.CURRENT) == former
    assert each_strategy.settled()


def test_a_rotation_under_way_is_stopped_by_a_roll_back(any_kind: Broken) -> None:
    former, bad = any_kind.version(Label.CURRENT), any_kind.world.rotate()
    pending = any_kind.rotate_until(Step.CREATE)
    store = retried(any_kind)
    store.token, store.retry = pending, [Step.SET, Step.TEST, Step.FINISH]
    any_kind.roll_back(bad)
    store.retry = []
    for step in (Step.SET, Step.TEST, Step.FINISH):
        with pytest.raises(errors.GuardError):
            any_kind.world.step(step, pending)
    assert any_kind.version(Label.CURRENT) == former
    assert any_kind.settled()


def test_a_step_that_was_past_its_guards_is_made_good_when_the_roll_back_is_repeated(
    single: Broken,
) -> None:
    """It ends within the function's time limit, which the state machine waits for."""
    former, bad = single.version(Label.CURRENT), single.world.rotate()
    assert single.world.step(WorkflowStep.ROLL_BACK, bad).outcome is Outcome.DONE
    single.world.server.change_password(single.user, single.password(bad))
    assert not single.works(former)
    assert single.roll_back(bad) == [Outcome.DONE, Outcome.NOTHING_TO_DO]
    assert single.version(Label.CURRENT) == former
    assert single.settled()
