"""What a campaign asks a rotation function about a secret, on real servers."""

import pytest

from rekey.errors import (
    CredentialsRejected,
    RotationDisabled,
    RotationHalted,
    SuperuserRejected,
    TooManyRejectedLogins,
)
from rekey.model import (
    HALTED_TAG,
    Happened,
    Label,
    Outcome,
    Step,
    StepResult,
    Strategy,
    WorkflowStep,
)
from tests.database import new_password
from tests.integration.recovery.recovery import Broken
from tests.integration.rotation.conftest import logins
from tests.world import SUPERUSER_ARN, new_token


def ask(broken: Broken, step: WorkflowStep, token: str | None = None) -> StepResult:
    return broken.world.step(step, token or new_token())


def works(broken: Broken) -> set[str]:
    return set(ask(broken, WorkflowStep.SURVEY).facts["works"].split())


def labels(broken: Broken) -> dict[str, set[str]]:
    return {version: set(held) for version, held in broken.world.secret.labels.items()}


def test_a_secret_that_can_be_rotated_is_told_with_its_strategy_and_server(
    any_kind: Broken,
) -> None:
    found = ask(any_kind, WorkflowStep.CHECK)
    assert found.outcome is Outcome.DONE
    assert found.facts["strategy"] == any_kind.strategy
    assert found.facts == ask(any_kind, WorkflowStep.CHECK).facts
    assert any_kind.world.server.credential("x", "y").host not in str(found.facts)


def test_nothing_is_rotated_that_is_switched_off_halted_or_under_way(single: Broken) -> None:
    single.world.secret.rotation_enabled = False
    with pytest.raises(RotationDisabled):
        ask(single, WorkflowStep.CHECK)
    single.world.secret.rotation_enabled = True
    single.world.secret.tags[HALTED_TAG] = "2026-11-20"
    with pytest.raises(RotationHalted):
        ask(single, WorkflowStep.CHECK)
    del single.world.secret.tags[HALTED_TAG]
    single.world.start()
    assert ask(single, WorkflowStep.CHECK).outcome is Outcome.BUSY


def test_a_secret_that_does_not_log_in_is_not_rotated(any_kind: Broken) -> None:
    any_kind.change_behind_its_back()
    with pytest.raises(CredentialsRejected):
        ask(any_kind, WorkflowStep.CHECK)


def test_a_check_leaves_nothing_behind_that_a_later_one_or_a_recovery_would_stumble_over(
    any_kind: Broken,
) -> None:
    """Somebody sets AWSCURRENT's password on the server again."""
    user, password = any_kind.credential(any_kind.version(Label.CURRENT))
    before = labels(any_kind)
    any_kind.change_behind_its_back()
    for _ in range(3):
        with pytest.raises(CredentialsRejected):
            ask(any_kind, WorkflowStep.CHECK)
    assert labels(any_kind) == before
    any_kind.world.server.change_password(user, password)
    assert ask(any_kind, WorkflowStep.CHECK).outcome is Outcome.DONE
    assert any_kind.diagnose(new_token(), Happened.BY_HAND).facts["action"] == "nothing"
    any_kind.world.rotate()
    assert any_kind.settled()


def test_a_check_tries_a_password_once(logged: Broken) -> None:
    logged.change_behind_its_back()
    refused = logins(logged.world)[1]
    with pytest.raises(CredentialsRejected):
        ask(logged, WorkflowStep.CHECK)
    assert logins(logged.world)[1] - refused == 1


def test_a_check_reads_a_superuser_that_is_refused_once_more_and_writes_nothing_down(
    dual: Broken,
) -> None:
    dual.world.store.secrets[SUPERUSER_ARN].put_by_hand(
        dual.world.document(dual.world.server.address.superuser, new_password())
    )
    before = labels(dual)
    with pytest.raises(SuperuserRejected):
        ask(dual, WorkflowStep.CHECK)
    assert labels(dual) == before


def test_a_password_that_logs_in_again_is_counted_from_nothing(single: Broken) -> None:
    """By hand, where nothing is pending, refusals are counted on AWSCURRENT."""
    user, password = single.credential(single.version(Label.CURRENT))
    for _ in range(3):
        single.change_behind_its_back()
        assert single.diagnose(new_token(), Happened.BY_HAND).facts["action"] == "escalate"
        single.world.server.change_password(user, password)
        assert single.diagnose(new_token(), Happened.BY_HAND).facts["action"] == "nothing"


def test_a_superuser_that_is_needed_and_gone_is_found_before_the_rotation(dual: Broken) -> None:
    del dual.world.store.secrets[SUPERUSER_ARN]
    with pytest.raises(Exception, match=SUPERUSER_ARN):
        ask(dual, WorkflowStep.CHECK)


def test_a_rotation_is_followed_to_its_end(any_kind: Broken) -> None:
    token = any_kind.rotate_until(Step.TEST)
    assert ask(any_kind, WorkflowStep.FOLLOW, token).outcome is Outcome.ROTATING
    any_kind.world.step(Step.FINISH, token)
    assert ask(any_kind, WorkflowStep.FOLLOW, token).outcome is Outcome.DONE


def test_a_rotation_that_was_given_up_has_ended(any_kind: Broken) -> None:
    token = any_kind.rotate_until(Step.CREATE)
    any_kind.give_up()
    assert ask(any_kind, WorkflowStep.FOLLOW, token).outcome is Outcome.ENDED


def test_a_rotation_whose_password_does_not_log_in_does_not_count_as_done(
    single: Broken,
) -> None:
    token = single.world.rotate()
    single.change_behind_its_back()
    with pytest.raises(CredentialsRejected):
        ask(single, WorkflowStep.FOLLOW, token)


def test_every_password_that_still_works_is_named(any_kind: Broken) -> None:
    any_kind.world.rotate()
    current, previous = any_kind.version(Label.CURRENT), any_kind.version(Label.PREVIOUS)
    both = any_kind.strategy is not Strategy.SINGLE_USER
    assert works(any_kind) == ({current, previous} if both else {current})


def test_after_a_retirement_only_one_password_works(dual: Broken) -> None:
    current = dual.world.rotate()
    ask(dual, WorkflowStep.RETIRE, current)
    assert works(dual) == {current}


def test_an_account_that_refused_a_password_is_not_tried_with_another(single: Broken) -> None:
    """AWSCURRENT, AWSPREVIOUS and a stored intent: one refusal is enough to know nothing more."""
    single.world.rotate()
    single.world.server.change_password(single.user, new_password())
    found = ask(single, WorkflowStep.SURVEY)
    assert found.facts["works"] == ""
    assert found.facts["unknown"] == single.version(Label.PREVIOUS)


def test_a_survey_leaves_the_last_login_to_the_recovery(logged: Broken) -> None:
    """Of the two that a lock-out policy of three allows, the rotation has used one or both."""
    logged.change_behind_its_back()
    token = logged.rotate_until(Step.CREATE)
    with pytest.raises((CredentialsRejected, TooManyRejectedLogins)):
        logged.world.step(Step.SET, token)
    refused = logins(logged.world)[1]
    found = ask(logged, WorkflowStep.SURVEY, token)
    assert logins(logged.world)[1] == refused
    assert found.facts["works"] == ""
    assert set(found.facts["unknown"].split()) == {logged.version(Label.CURRENT), token}


def test_what_a_survey_is_refused_counts_for_the_rotation_and_its_recovery(logged: Broken) -> None:
    token = logged.rotate_until(Step.CREATE)
    logged.change_behind_its_back()
    refused = logins(logged.world)[1]
    ask(logged, WorkflowStep.SURVEY, token)
    logged.diagnose(token)
    ask(logged, WorkflowStep.SURVEY, token)
    logged.diagnose(token)
    assert logins(logged.world)[1] - refused == 2


def test_of_an_account_that_is_locked_nobody_knows_whether_its_password_works(
    dual: Broken,
) -> None:
    dual.world.server.execute(f"ALTER USER {dual.user}@'%' ACCOUNT LOCK")
    found = ask(dual, WorkflowStep.SURVEY)
    assert found.facts == {"works": "", "unknown": dual.version(Label.CURRENT)}
