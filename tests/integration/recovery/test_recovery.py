"""A rotation that failed, on real servers: what is found, what is done, and that it then serves."""

import json

import pytest

from rekey import errors
from rekey.model import (
    Circumstances,
    Happened,
    Label,
    Outcome,
    SecretMetadata,
    SecretVersion,
    Step,
    Strategy,
    WorkflowStep,
)
from tests.database import new_password
from tests.integration.recovery.conftest import broken
from tests.integration.recovery.recovery import Broken
from tests.integration.rotation.conftest import logins
from tests.postgres_database import PostgresServer
from tests.world import ARN, SUPERUSER_ARN

AFTER = {
    Step.CREATE: Happened.SET_FAILED,
    Step.SET: Happened.TEST_FAILED,
    Step.TEST: Happened.FINISH_FAILED,
}


@pytest.mark.parametrize("last", AFTER)
def test_a_rotation_that_was_cut_off_is_finished_or_cleared_and_the_next_one_ends_right(
    any_kind: Broken, last: Step
) -> None:
    token = any_kind.rotate_until(last)
    action = any_kind.recover(token, AFTER[last])
    assert action == ("clear" if last is Step.CREATE else "rollForward")
    assert any_kind.settled()
    assert (any_kind.version(Label.CURRENT) == token) is (action == "rollForward")
    any_kind.world.rotate()
    assert any_kind.settled()


def test_a_change_whose_answer_was_lost_is_finished_unless_rights_may_be_missing(
    any_kind: Broken,
) -> None:
    token = any_kind.rotate_until(Step.SET)
    alternating = any_kind.strategy is Strategy.ALTERNATING_USERS
    assert any_kind.recover(token, Happened.SET_FAILED) == (
        "clear" if alternating else "rollForward"
    )
    assert any_kind.settled()


def test_the_only_live_password_of_an_abandoned_rotation_is_promoted(single: Broken) -> None:
    token = single.rotate_until(Step.SET)
    single.give_up()
    assert single.recover(token, Happened.ABANDONED) == "rollForward"
    assert single.version(Label.CURRENT) == token
    assert single.settled()


def test_a_value_that_somebody_stored_and_that_logs_in_is_left_alone(single: Broken) -> None:
    token = single.rotate_until(Step.SET)
    live = single.world.secret.values[token] or ""
    by_hand = single.world.secret.put_by_hand(live)
    assert single.recover(token, Happened.ABANDONED) == "nothing"
    assert single.version(Label.CURRENT) == by_hand


def test_a_recovery_that_runs_twice_or_late_finds_nothing_to_do(each_strategy: Broken) -> None:
    token = each_strategy.rotate_until(Step.SET)
    assert each_strategy.recover(token, Happened.TEST_FAILED) == "rollForward"
    result = each_strategy.world.step(WorkflowStep.ROLL_FORWARD, token)
    assert result.outcome is Outcome.NOTHING_TO_DO
    assert each_strategy.recover(token, Happened.TEST_FAILED) == "nothing"


def test_another_rotation_that_began_since_is_left_alone(each_strategy: Broken) -> None:
    token = each_strategy.rotate_until(Step.CREATE)
    each_strategy.give_up()
    later = each_strategy.rotate_until(Step.SET)
    assert each_strategy.recover(token) == "nothing"
    assert each_strategy.version(Label.PENDING) == later


def test_a_password_that_was_changed_behind_its_back_needs_a_person(any_kind: Broken) -> None:
    any_kind.change_behind_its_back()
    token = any_kind.rotate_until(Step.CREATE)
    with pytest.raises((errors.LoginError, errors.TooManyRejectedLogins)):
        any_kind.world.step(Step.SET, token)
    found = any_kind.diagnose(token)
    assert found.facts["action"] == "escalate"
    assert '"action": "restore"' in found.facts["advice"]
    with pytest.raises(errors.RestoreNotAllowed, match=any_kind.leave):
        any_kind.world.step(WorkflowStep.RESTORE, any_kind.version(Label.CURRENT))
    assert any_kind.version(Label.PENDING) == token


def test_a_person_has_the_superuser_set_the_password_again(any_kind: Broken) -> None:
    any_kind.change_behind_its_back()
    any_kind.rotate_until(Step.CREATE)
    any_kind.world.step(
        WorkflowStep.RESTORE,
        any_kind.version(Label.CURRENT),
        circumstances=Circumstances(by_person=True),
    )
    any_kind.verify()
    assert any_kind.settled()
    any_kind.world.rotate()
    assert any_kind.settled()


def test_of_several_accounts_of_the_name_none_is_restored_unless_all_are_meant(
    dual: Broken,
) -> None:
    """Another one may be somebody else's."""
    user, current, by_person = dual.user, dual.version(Label.CURRENT), Circumstances(by_person=True)
    dual.world.server.execute(f"CREATE USER {user}@'10.0.0.1' IDENTIFIED BY '{new_password()}'")
    dual.change_behind_its_back()
    with pytest.raises(errors.AmbiguousAccount, match="rekey:hosts"):
        dual.world.step(WorkflowStep.RESTORE, current, circumstances=by_person)
    dual.world.secret.tags["rekey:hosts"] = "all"
    dual.world.step(WorkflowStep.RESTORE, current, circumstances=by_person)
    assert dual.settled()


def test_a_password_is_restored_by_itself_if_the_superuser_s_secret_names_user_and_secret(
    any_kind: Broken,
) -> None:
    any_kind.let_restore("somebody@else", any_kind.leave)
    any_kind.change_behind_its_back()
    token = any_kind.rotate_until(Step.CREATE)
    with pytest.raises((errors.LoginError, errors.TooManyRejectedLogins)):
        any_kind.world.step(Step.SET, token)
    assert any_kind.recover(token) == "restore"
    assert any_kind.settled()


def test_the_server_refuses_at_most_two_logins_of_a_failed_rotation_and_its_recovery(
    logged: Broken,
) -> None:
    logged.change_behind_its_back()
    _, before = logins(logged.world)
    token = logged.rotate_until(Step.CREATE)
    for _ in range(3):
        with pytest.raises((errors.LoginError, errors.TooManyRejectedLogins)):
            logged.world.step(Step.SET, token)
        logged.diagnose(token)
    assert logins(logged.world)[1] - before <= 2


def test_former_credentials_serve_again_if_the_newer_ones_do_not(alternating: Broken) -> None:
    former, current = alternating.version(Label.CURRENT), alternating.world.rotate()
    alternating.change_behind_its_back()
    token = alternating.rotate_until(Step.CREATE)
    with pytest.raises(errors.CredentialsRejected):
        alternating.world.step(Step.SET, token)
    assert alternating.recover(token) == "rollBack"
    assert alternating.version(Label.CURRENT) == former
    assert alternating.version(Label.REJECTED) == current
    assert alternating.settled()
    alternating.world.rotate()
    assert alternating.settled()


def test_a_former_user_serves_again_also_if_secrets_manager_was_quicker(
    alternating: Broken,
) -> None:
    """Its second attempt comes before the recovery, and uses up the second refusal."""
    former = alternating.version(Label.CURRENT)
    alternating.world.rotate()
    alternating.change_behind_its_back()
    token = alternating.rotate_until(Step.CREATE)
    for _ in range(2):
        with pytest.raises(errors.CredentialsRejected):
            alternating.world.step(Step.SET, token)
    assert alternating.recover(token) == "rollBack"
    assert alternating.version(Label.CURRENT) == former
    assert alternating.settled()


def test_a_person_who_has_mended_the_cause_is_not_kept_out_by_what_was_refused_before(
    single: Broken,
) -> None:
    user, password = single.credential(single.version(Label.CURRENT))
    single.change_behind_its_back()
    token = single.rotate_until(Step.CREATE)
    with pytest.raises(errors.CredentialsRejected):
        single.world.step(Step.SET, token)
    assert single.diagnose(token).facts["action"] == "escalate"
    single.world.server.change_password(user, password)
    assert single.recover(token, Happened.BY_HAND) == "clear"
    assert single.settled()


def test_a_user_that_was_dropped_needs_a_person(any_kind: Broken) -> None:
    any_kind.let_restore(any_kind.leave)
    token = any_kind.rotate_until(Step.CREATE)
    any_kind.world.server.drop_users(any_kind.user)
    found = any_kind.diagnose(token)
    assert found.facts["action"] == "restore"
    with pytest.raises((errors.UserMissing, errors.EngineFailure)):
        any_kind.world.step(WorkflowStep.RESTORE, found.facts["currentVersionId"])


def test_a_right_that_was_revoked_is_named_and_nothing_is_changed(alternating: Broken) -> None:
    token = alternating.world.rotate()
    server = alternating.world.server
    server.execute(f"REVOKE {server.base} FROM {server.clone}")
    pending = alternating.rotate_until(Step.CREATE)
    with pytest.raises(errors.PrivilegesDiffer):
        alternating.world.step(Step.SET, pending)
    found = alternating.diagnose(pending)
    assert found.facts["action"] == "escalate"
    assert "PrivilegesDiffer" in found.reason
    assert alternating.version(Label.CURRENT) == token


def test_a_server_that_is_down_is_waited_for_and_then_the_rotation_is_finished(
    any_kind: Broken,
) -> None:
    token = any_kind.rotate_until(Step.SET)
    any_kind.world.server.own.stop()
    try:
        waits = any_kind.diagnose(token, Happened.TEST_FAILED)
        gives_up = any_kind.diagnose(token, Happened.TEST_FAILED, last_look=True)
    finally:
        any_kind.world.server.own.start()
    assert waits.facts["action"] == "wait"
    assert gives_up.facts["action"] == "escalate"
    assert any_kind.recover(token, Happened.TEST_FAILED) == "rollForward"
    assert any_kind.settled()


def test_a_server_that_takes_connections_and_says_nothing_is_waited_for(
    server: PostgresServer,
) -> None:
    paused = broken(server, Strategy.SINGLE_USER)
    token = paused.rotate_until(Step.SET)
    paused.world.seconds = 1.0
    server.own.pause()
    try:
        found = paused.diagnose(token, Happened.TEST_FAILED)
    finally:
        server.own.resume()
    assert found.facts["action"] == "wait"


@pytest.mark.parametrize("happened", [Happened.CREATE_FAILED, Happened.TEST_ROTATION_FAILED])
def test_a_failure_that_changes_no_server_makes_no_login(
    each_strategy: Broken, happened: Happened
) -> None:
    each_strategy.change_behind_its_back()
    token = each_strategy.world.start()
    found = each_strategy.diagnose(token, happened).facts
    assert found["action"] == "escalate"
    assert {found[key] for key in found if key.endswith("Login")} <= {
        "was not tried",
        "is not there",
    }


def test_a_halted_secret_is_neither_rotated_nor_recovered_until_a_person_asks(
    each_strategy: Broken,
) -> None:
    token = each_strategy.rotate_until(Step.SET)
    each_strategy.world.secret.tags["rekey:halted"] = "2026-11-24"
    assert each_strategy.recover(token, Happened.TEST_FAILED) == "nothing"
    assert each_strategy.recover(token, Happened.BY_HAND) != "nothing"
    with pytest.raises(errors.RotationHalted, match="rekey:halted"):
        each_strategy.world.step(Step.CREATE, each_strategy.world.start())
    assert each_strategy.world.logs_in(Label.CURRENT)


def test_no_answer_to_the_state_machine_holds_a_value(each_strategy: Broken) -> None:
    token = each_strategy.rotate_until(Step.SET)
    bad = each_strategy.version(Label.CURRENT)
    passwords = {each_strategy.password(version) for version in (token, bad)}
    answers = [
        each_strategy.diagnose(token, Happened.TEST_FAILED),
        each_strategy.world.step(WorkflowStep.ROLL_FORWARD, token),
        each_strategy.world.step(WorkflowStep.VERIFY, token),
        each_strategy.world.step(WorkflowStep.ROLL_BACK, token),
        each_strategy.world.step(
            WorkflowStep.RESTORE, bad, circumstances=Circumstances(by_person=True)
        ),
    ]
    for answer in answers:
        told = json.dumps([answer.reason, dict(answer.facts)])
        assert not any(password in told for password in passwords)


def put(broken: Broken, username: str, password: str) -> str:
    """Whoever may write the secret does so."""
    current = json.loads(broken.world.secret.values[broken.version(Label.CURRENT)] or "")
    value = json.dumps({**current, "username": username, "password": password})
    return broken.world.secret.put_by_hand(value)


@pytest.mark.parametrize("times", [1, 2])
def test_whoever_may_only_write_a_secret_gets_no_other_user(any_kind: Broken, times: int) -> None:
    """By rotation or by recovery, even if the other user may be restored for its own secret."""
    server, theirs, mine = any_kind.world.server, new_password(), new_password()
    victim = f"victim_{server.base[4:]}"
    server.create_user(victim, theirs)
    any_kind.let_restore(any_kind.leave, f"{victim}@billing")
    try:
        for _ in range(times):
            put(any_kind, victim, mine)
        token = any_kind.world.start()
        with pytest.raises(errors.RekeyError):
            any_kind.go_through(token)
        current = any_kind.version(Label.CURRENT)
        assert any_kind.diagnose(token).facts["action"] not in ("restore", "rollForward")
        for asked in (WorkflowStep.RESTORE, WorkflowStep.ROLL_BACK, WorkflowStep.VERIFY):
            with pytest.raises(errors.RekeyError):
                any_kind.world.step(asked, current)
        with pytest.raises(errors.RekeyError):
            any_kind.world.step(WorkflowStep.ROLL_FORWARD, token)
        assert server.logs_in(victim, theirs)
        assert not server.logs_in(victim, mine)
    finally:
        server.drop_users(victim)


def test_a_superuser_that_cannot_be_read_is_said_to_be_unusable(each_strategy: Broken) -> None:
    token = each_strategy.rotate_until(Step.CREATE)
    del each_strategy.world.store.secrets[SUPERUSER_ARN]
    found = each_strategy.diagnose(token)
    assert found.facts["action"] == "clear"
    assert found.facts["afterwards"] == "nothing"
    assert "SecretNotFound" in found.reason
    assert each_strategy.world.store.secrets.keys() == {ARN}


@pytest.mark.parametrize(
    "unreadable",
    [errors.SecretAccessDenied, errors.SecretsManagerFailure, errors.InvalidSecretValue],
)
def test_a_former_version_that_cannot_be_read_keeps_nobody_from_the_only_live_password(
    single: Broken, monkeypatch: pytest.MonkeyPatch, unreadable: type[errors.RekeyError]
) -> None:
    """Its key is disabled by now, or denied to the function; or it was never a text."""
    single.world.rotate()
    former, read = single.version(Label.PREVIOUS), single.world.store.get_version

    def refuse(arn: str, version: str, label: Label | None = None) -> SecretVersion | None:
        if version == former:
            raise unreadable("former")
        return read(arn, version, label)

    token = single.rotate_until(Step.SET)
    monkeypatch.setattr(single.world.store, "get_version", refuse)
    assert single.recover(token, Happened.TEST_FAILED) == "rollForward"
    assert single.settled()


def test_only_a_version_that_create_secret_wrote_and_nobody_rejected_is_rolled_forward(
    each_strategy: Broken,
) -> None:
    secret, current = each_strategy.world.secret, each_strategy.version(Label.CURRENT)
    token = each_strategy.rotate_until(Step.SET)
    with pytest.raises(errors.VersionUnknown):
        each_strategy.world.step(WorkflowStep.ROLL_FORWARD, "0" * 36)
    secret.move(Label.INTENT, None)
    with pytest.raises(errors.IntentMissing):
        each_strategy.world.step(WorkflowStep.ROLL_FORWARD, token)
    secret.move(Label.INTENT, token)
    secret.move(Label.REJECTED, token)
    with pytest.raises(errors.VersionRejected):
        each_strategy.world.step(WorkflowStep.ROLL_FORWARD, token)
    assert each_strategy.version(Label.CURRENT) == current


def test_a_login_is_left_for_what_is_waited_for_however_often_it_is_looked_at(
    alternating: Broken,
) -> None:
    """AWSCURRENT is refused, and the pending version's user gets no connection for a while."""
    server, token = alternating.world.server, alternating.rotate_until(Step.SET)
    refused = frozenset({Label.CURRENT})
    alternating.change_behind_its_back()
    server.execute(f"ALTER ROLE {server.clone} CONNECTION LIMIT 0")
    found = alternating.diagnose(token, Happened.TEST_FAILED).facts
    assert (found["action"], found["currentLogin"]) == ("wait", "is refused")
    for _ in range(2):
        found = alternating.diagnose(token, Happened.TEST_FAILED, refused=refused).facts
        assert found["action"] == "wait"
    server.execute(f"ALTER ROLE {server.clone} CONNECTION LIMIT -1")
    found = alternating.diagnose(token, Happened.TEST_FAILED, refused=refused).facts
    assert found["action"] == "rollForward"
    alternating.world.step(WorkflowStep.ROLL_FORWARD, token)
    alternating.verify()


def test_no_account_is_refused_more_than_twice_while_something_else_is_waited_for(
    alternating: Broken,
) -> None:
    """Both users have other passwords by now."""
    server = alternating.world.server
    current = alternating.world.rotate()
    for user in (server.base, server.clone):
        server.change_password(user, new_password())
    _, before = logins(alternating.world)
    refused = frozenset[Label]()
    for _ in range(3):
        found = alternating.diagnose(current, Happened.STUCK, refused=refused).facts
        assert (found["currentLogin"], found["previousLogin"]) == ("is refused", "is refused")
        refused = frozenset({Label.CURRENT, Label.PREVIOUS})
    assert logins(alternating.world)[1] - before == 2


@pytest.mark.parametrize("reads", range(1, 4))
def test_a_retry_of_secrets_manager_in_the_middle_of_a_look_costs_no_former_user(
    alternating: Broken, monkeypatch: pytest.MonkeyPatch, reads: int
) -> None:
    """Both logins are used up by setSecret, the second after the look has begun."""
    world, left = alternating.world, reads
    world.rotate()
    alternating.change_behind_its_back()
    token = alternating.rotate_until(Step.CREATE)
    describe = world.store.describe

    def set_secret() -> None:
        with pytest.raises(errors.CredentialsRejected):
            world.step(Step.SET, token)

    def described(arn: str) -> SecretMetadata:
        nonlocal left
        found, left = describe(arn), left - 1
        if not left:
            monkeypatch.undo()
            set_secret()
        return found

    set_secret()
    monkeypatch.setattr(world.store, "describe", described)
    found = alternating.diagnose(token).facts
    assert left == 0
    assert (found["action"], found["previousLogin"]) == ("rollBack", "logs in"), found


def test_refusals_from_before_a_restore_keep_nobody_from_verifying_it(any_kind: Broken) -> None:
    """Where nothing is pending they are counted on AWSCURRENT itself."""
    current = any_kind.version(Label.CURRENT)
    any_kind.change_behind_its_back()
    for _ in range(3):
        any_kind.diagnose(current, Happened.BY_HAND)
    by_person = Circumstances(by_person=True)
    any_kind.world.step(WorkflowStep.RESTORE, current, circumstances=by_person)
    any_kind.verify()
    assert any_kind.settled()
