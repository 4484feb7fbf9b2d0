"""A rotation that fails is put right by the deployed stack, which says so once."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from rekey.alerts.recoveries import DONE, UNCHANGED
from rekey.model import Happened, Workflow
from tests.conftest import Deployed
from tests.end_to_end.application import Application, retries, wait_for
from tests.inbox import Inbox
from tests.workflows.recoveries import (
    SILENT,
    begin,
    begun,
    change_behind_its_back,
    comes_to,
    cut_off,
    holder,
    rotated,
    said,
    send_failure,
    start,
)
from tests.workflows.runs import ended, shortened, states

SCALE = 1 / 100


@pytest.fixture(autouse=True)
def _shortened(deployed: Deployed) -> Iterator[None]:
    with shortened(deployed, SCALE), retries(deployed, 1):
        yield


def test_events_of_one_rotation_that_come_together_are_one_recovery(
    app: Application, told: Inbox
) -> None:
    token = cut_off(app)
    for _ in range(3):
        send_failure(app, token, Happened.TEST_FAILED)
    seen = [ended(app, Workflow.RECOVER, number) for number in (1, 2, 3)]
    last = [states(app, run)[-1] for run in seen]
    assert [state for state in last if state not in SILENT] == ["Recovered"]
    assert len(said(app, told, 1)) == 1
    assert [state for run in seen for state in states(app, run)].count("Tell") == 1


@pytest.mark.reaches(
    "The server refuses AWSCURRENT, and no other version serves.",
)
def test_a_changed_password_needs_a_person_who_has_it_restored(
    alternating: Application, told: Inbox
) -> None:
    app = alternating
    change_behind_its_back(app)
    app.client.put_secret_value(  # AWSPREVIOUS does not log in either
        SecretId=app.arn, SecretString=json.dumps(app.value("AWSCURRENT"))
    )
    assert app.rotate_and_wait()["eventName"] == "RotationFailed"
    run = ended(app, Workflow.RECOVER)
    assert (run["status"], states(app, run)[-1]) == ("SUCCEEDED", "NeedsPerson")
    (finding,) = said(app, told, 1)
    assert finding["kind"] == "needs-person"
    assert '"action": "restore"' in str(finding["nextSteps"])
    assert not app.logs_in("AWSCURRENT")
    run = start(app, action="restore")
    assert (run["status"], states(app, run)[-1]) == ("SUCCEEDED", "Recovered")
    assert app.logs_in("AWSCURRENT")
    rotated(app)


@pytest.mark.parametrize("kind", ["app", "alternating"])
def test_a_rotation_that_succeeded_is_rolled_back_by_hand_and_twice_is_no_more(
    request: pytest.FixtureRequest, kind: str, told: Inbox
) -> None:
    """And people are told what it came to, not what was asked for."""
    app: Application = request.getfixturevalue(kind)
    former = holder(app, "AWSPREVIOUS")
    for changed, undone in ((True, "yes"), (False, "no")):
        run = start(app, action="rollBack")
        assert (run["status"], states(app, run)[-1]) == ("SUCCEEDED", "Recovered")
        output = json.loads(run["output"])
        assert (output["outcome"], output["changed"]) == ("recovered", changed)
        assert output["undone"] == undone
        assert holder(app, "AWSCURRENT") == former
        assert app.logs_in("AWSCURRENT")
    back, unchanged = said(app, told, 2)
    assert back["done"] == [DONE["rollBack"]]
    assert unchanged["done"] == [UNCHANGED]


def test_what_was_done_is_told_though_nothing_is_left_to_do_as_somebody_stores_a_value(
    app: Application, told: Inbox
) -> None:
    """AWSCURRENT moves before it is verified, so it is looked again."""
    begun(app)
    with shortened(app.deployed, SCALE * 10):
        begin(app)
        comes_to(app, "WaitForStepInFlight")
        value = json.dumps(app.value("AWSCURRENT"))
        stored = app.client.put_secret_value(SecretId=app.arn, SecretString=value)["VersionId"]
        run = ended(app, Workflow.RECOVER)
    passed = states(app, run)
    assert (passed.count("Diagnose"), passed[-1]) == (2, "Recovered")
    assert holder(app, "AWSCURRENT") == stored
    (finding,) = said(app, told, 1)
    assert finding["done"] == [DONE["clear"]]


def test_a_version_without_a_name_is_not_taken_for_the_one_that_serves(app: Application) -> None:
    before = holder(app, "AWSCURRENT")
    run: Any = start(app, action="rollBack", versionId="")
    assert (run["status"], states(app, run)) == ("FAILED", ["IsInputValid", "EmptyVersionId"])
    assert holder(app, "AWSCURRENT") == before


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({}, "NoSecretId"),
        ({"secretId": ""}, "NoSecretId"),
        ({"secretId": ["app"]}, "NoSecretId"),
        ({"secretId": "app", "action": "explode"}, "UnknownAction"),
        ({"secretId": "app", "action": ""}, "UnknownAction"),
        ({"secretId": "app", "action": None}, "UnknownAction"),
    ],
)
def test_wrong_input_fails_at_once_and_says_what_to_give(
    deployed: Deployed, given: dict[str, Any], state: str
) -> None:
    client, arn = (
        deployed.account.client("stepfunctions"),
        deployed.state_machine_arn(Workflow.RECOVER),
    )
    run = client.start_execution(stateMachineArn=arn, input=json.dumps(given))["executionArn"]

    def failed() -> dict[str, Any] | None:
        found: dict[str, Any] = client.describe_execution(executionArn=run)
        return None if found["status"] == "RUNNING" else found

    found = wait_for(failed, "the run to end")
    assert (found["status"], found["error"]) == ("FAILED", state)
    assert found["cause"].endswith("Nothing was touched.")


@pytest.mark.reaches(
    "AWSCURRENT logs in, and AWSPENDING stands on a version that does not.",
    "The secret is halted (tag rekey:halted), and waits for a person.",
)
def test_a_cause_that_has_passed_is_followed_by_one_more_rotation_and_then_it_halts(
    alternating: Application, told: Inbox
) -> None:
    """The superuser is refused for a while."""
    app = alternating
    tag = [{"Key": "rekey:superuser", "Value": "true"}]
    app.client.untag_resource(SecretId=app.superuser_arn, TagKeys=["rekey:superuser"])
    assert app.rotate_and_wait()["eventName"] == "RotationFailed"
    run = ended(app, Workflow.RECOVER)
    assert states(app, run)[-1] == "Recovered"  # The superuser still cannot be read.
    app.client.tag_resource(SecretId=app.superuser_arn, Tags=tag)
    send_failure(app, str(uuid.uuid4()), Happened.SET_FAILED)
    run = ended(app, Workflow.RECOVER, 2)
    assert states(app, run)[-1] == "Halted"
    assert [finding["kind"] for finding in said(app, told, 2)] == ["recovered", "halted"]
    assert app.rotate_and_wait()["eventName"] == "RotationFailed"
    run = ended(app, Workflow.RECOVER, 3)
    assert states(app, run)[-1] == "NothingToDo"
    assert "Tell" not in states(app, run)
    assert app.logs_in("AWSCURRENT")


@pytest.mark.reaches(
    "AWSCURRENT logs in, and no rotation is pending.",
)
def test_it_rotates_again_by_itself_if_the_cause_has_passed(app: Application) -> None:
    before = holder(app, "AWSCURRENT")
    since = app.next_record()
    with shortened(app.deployed, SCALE / 10):
        send_failure(app, str(uuid.uuid4()), Happened.SET_FAILED)
        run = ended(app, Workflow.RECOVER)
    assert (run["status"], states(app, run)[-1]) == ("SUCCEEDED", "RotatesAgain")
    assert app.end(since)["eventName"] == "RotationSucceeded"
    assert holder(app, "AWSPREVIOUS") == before


def test_it_does_not_switch_rotation_on_again_that_somebody_has_cancelled(
    app: Application, told: Inbox
) -> None:
    with shortened(app.deployed, SCALE * 3):
        send_failure(app, str(uuid.uuid4()), Happened.SET_FAILED)
        comes_to(app, "WaitToRotateAgain")
        app.client.cancel_rotate_secret(SecretId=app.arn)
    run = ended(app, Workflow.RECOVER)
    assert (run["status"], states(app, run)[-1]) == ("SUCCEEDED", "LeftAsItIs")
    assert "switched rotation off" in run["output"]
    assert not app.client.describe_secret(SecretId=app.arn).get("RotationEnabled")
    assert [finding["kind"] for finding in said(app, told, 1)] == ["recovered"]


@pytest.mark.reaches("The secret is rotated by a function that is not Rekey's.")
def test_a_function_that_is_not_rekey_s_is_named_and_nothing_is_touched(
    app: Application, told: Inbox
) -> None:
    functions = app.deployed.account.client("lambda")
    token = cut_off(app)
    tags = functions.list_tags(Resource=app.function_arn)["Tags"]
    functions.untag_resource(Resource=app.function_arn, TagKeys=["rekey:function"])
    try:
        send_failure(app, token, Happened.TEST_FAILED)
        run = ended(app, Workflow.RECOVER)
    finally:
        functions.tag_resource(Resource=app.function_arn, Tags=tags)
    assert states(app, run)[-1] == "NeedsPerson"
    assert "Diagnose" not in states(app, run)
    (finding,) = said(app, told, 1)
    assert app.function_arn in finding["what"]
    assert holder(app, "AWSPENDING") == token


def test_a_run_that_cannot_end_is_seen_to_fail(app: Application, told: Inbox) -> None:
    app.client.delete_secret(SecretId=app.arn, ForceDeleteWithoutRecovery=True)
    run: Any = start(app)
    assert run["status"] == "FAILED"
    (finding,) = said(app, told, 1)
    assert finding["kind"] == "needs-person"
    assert "The recovery stopped" in finding["what"]
