"""A rotation that fails is put right by the deployed stack, which says so once."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.postgres import Postgres
from rekey.model import Workflow
from tests.conftest import Deployed
from tests.end_to_end.application import Application, Document, retries
from tests.inbox import Inbox
from tests.workflows.runs import Run, ended, runs, shortened, states

SCALE = 1 / 100
OF_RECOVERIES = {"recovered", "needs-person", "halted"}
SAMPLE = Path(__file__).parents[2] / "events" / "changes" / "rotation_failed.json"


@pytest.fixture(autouse=True)
def _shortened(deployed: Deployed) -> Iterator[None]:
    with shortened(deployed, SCALE), retries(deployed, 1):
        yield


@pytest.fixture(scope="module")
def told(deployed: Deployed) -> Inbox:
    """Whatever people get to know."""
    return Inbox.make(deployed.account).subscribe(deployed.alerts_topic_arn)


@pytest.fixture
def app(deployed: Deployed, postgres: Postgres) -> Application:
    return rotated(Application(deployed, postgres))


@pytest.fixture
def alternating(deployed: Deployed, postgres: Postgres) -> Application:
    return rotated(Application(deployed, postgres, alternating=True))


def rotated(app: Application) -> Application:
    """With the service's own repetitions: a machine that is busy may let a first attempt fail."""
    with retries(app.deployed, 3):
        assert app.rotate_and_wait()["eventName"] == "RotationSucceeded"
    return app


def said(app: Application, told: Inbox, count: int) -> list[Document]:
    """What people were told of recoveries of the secret, once there is so much of it."""

    def about_it(messages: list[Document]) -> list[Document]:
        findings = [json.loads(message["Message"]) for message in messages]
        return [f for f in findings if f["secret"] == app.arn and f["kind"] in OF_RECOVERIES]

    return about_it(told.until(lambda messages: len(about_it(messages)) >= count))


def holder(app: Application, label: str) -> str:
    return next((version for version, held in app.labels().items() if label in held), "")


def change_behind_its_back(app: Application) -> None:
    user = app.value("AWSCURRENT")["username"]
    app.server.change_password(user, app.new_password())


def cut_off(app: Application) -> str:
    """The function was killed between setSecret and testSecret; the token."""
    token, value = str(uuid.uuid4()), app.value("AWSCURRENT")
    value["password"] = app.new_password()
    app.client.put_secret_value(
        SecretId=app.arn,
        ClientRequestToken=token,
        SecretString=json.dumps(value),
        VersionStages=["AWSPENDING", "REKEY_INTENT", "REKEY_SINGLE_USER"],
    )
    app.server.change_password(value["username"], value["password"])
    return token


def send_failure(app: Application, token: str, step: str) -> None:
    """The event of Secrets Manager."""
    app.deployed.account.control("events", {"events": [failure(app, token, step)]})


def failure(app: Application, token: str, step: str) -> Document:
    """It failed just now."""
    _, _, _, region, account, *_ = app.arn.split(":")
    event: Document = json.loads(SAMPLE.read_text()) | {"region": region, "account": account}
    event["detail"] |= {
        "eventTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "additionalEventData": {"SecretId": app.arn},
        "requestID": f"Rotation-{app.arn}-{token}",
        "errorMessage": f"Error when executing lambda {app.function_arn} during {step} step",
        "eventID": str(uuid.uuid4()),
    }
    return event


def start(app: Application, **given: str) -> Run:
    """By hand."""
    client = app.deployed.account.client("stepfunctions")
    known = len(runs(app, Workflow.RECOVER))
    client.start_execution(
        stateMachineArn=app.deployed.state_machine_arn(Workflow.RECOVER),
        input=json.dumps({"secretId": app.arn, **given}),
    )
    return ended(app, Workflow.RECOVER, known + 1)


def test_a_rotation_that_was_cut_off_is_finished_and_said_once(
    app: Application, told: Inbox
) -> None:
    token = cut_off(app)
    assert not app.logs_in("AWSCURRENT")
    send_failure(app, token, "testSecret")
    run = ended(app, Workflow.RECOVER)
    assert (run["status"], states(app, run)[-1]) == ("SUCCEEDED", "Recovered")
    assert holder(app, "AWSCURRENT") == token
    assert app.logs_in("AWSCURRENT")
    (finding,) = said(app, told, 1)
    assert finding["kind"] == "recovered"
    assert finding["done"] == ["The rotation was finished with the new password."]
    assert "The pending version logs in" in finding["what"]
    rotated(app)


def test_events_of_one_rotation_that_come_together_are_one_recovery(
    app: Application, told: Inbox
) -> None:
    token = cut_off(app)
    for _ in range(3):
        send_failure(app, token, "testSecret")
    seen = [ended(app, Workflow.RECOVER, number) for number in (1, 2, 3)]
    assert sorted(states(app, run)[-1] for run in seen) == [
        *["AtWorkAlready"] * 2,
        "Recovered",
    ]
    assert len(said(app, told, 1)) == 1
    assert [state for run in seen for state in states(app, run)].count("Tell") == 1


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


def test_the_former_user_serves_again_if_the_newer_one_does_not(alternating: Application) -> None:
    former = holder(alternating, "AWSPREVIOUS")
    change_behind_its_back(alternating)
    assert alternating.rotate_and_wait()["eventName"] == "RotationFailed"
    run = ended(alternating, Workflow.RECOVER)
    assert (run["status"], states(alternating, run)[-1]) == ("SUCCEEDED", "Recovered")
    assert states(alternating, run).count("RollBack") == 2
    assert holder(alternating, "AWSCURRENT") == former
    assert alternating.logs_in("AWSCURRENT")


@pytest.mark.parametrize("kind", ["app", "alternating"])
def test_a_rotation_that_succeeded_is_rolled_back_by_hand_and_twice_is_no_more(
    request: pytest.FixtureRequest, kind: str
) -> None:
    app: Application = request.getfixturevalue(kind)
    former = holder(app, "AWSPREVIOUS")
    for _ in range(2):
        run = start(app, action="rollBack")
        assert (run["status"], states(app, run)[-1]) == ("SUCCEEDED", "Recovered")
        assert holder(app, "AWSCURRENT") == former
        assert app.logs_in("AWSCURRENT")


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
    send_failure(app, str(uuid.uuid4()), "setSecret")
    run = ended(app, Workflow.RECOVER, 2)
    assert states(app, run)[-1] == "Halted"
    assert [finding["kind"] for finding in said(app, told, 2)] == ["recovered", "halted"]
    assert app.rotate_and_wait()["eventName"] == "RotationFailed"
    run = ended(app, Workflow.RECOVER, 3)
    assert states(app, run)[-1] == "NothingToDo"
    assert "Tell" not in states(app, run)
    assert app.logs_in("AWSCURRENT")


def test_it_rotates_again_by_itself_if_the_cause_has_passed(app: Application) -> None:
    before = holder(app, "AWSCURRENT")
    since = app.next_record()
    send_failure(app, str(uuid.uuid4()), "setSecret")
    run = ended(app, Workflow.RECOVER)
    assert (run["status"], states(app, run)[-1]) == ("SUCCEEDED", "RotatesAgain")
    assert app.end(since)["eventName"] == "RotationSucceeded"
    assert holder(app, "AWSPREVIOUS") == before


def test_a_function_that_is_not_rekey_s_is_named_and_nothing_is_touched(
    app: Application, told: Inbox
) -> None:
    functions = app.deployed.account.client("lambda")
    token = cut_off(app)
    tags = functions.list_tags(Resource=app.function_arn)["Tags"]
    functions.untag_resource(Resource=app.function_arn, TagKeys=["rekey:function"])
    try:
        send_failure(app, token, "testSecret")
        run = ended(app, Workflow.RECOVER)
    finally:
        functions.tag_resource(Resource=app.function_arn, Tags=tags)
    assert states(app, run)[-1] == "NeedsPerson"
    assert "Diagnose" not in states(app, run)
    (finding,) = said(app, told, 1)
    assert app.function_arn in finding["what"]
    assert holder(app, "AWSPENDING") == token


def test_nothing_secret_stands_in_the_history_of_a_run(app: Application) -> None:
    token = cut_off(app)
    send_failure(app, token, "testSecret")
    run = ended(app, Workflow.RECOVER)
    client = app.deployed.account.client("stepfunctions")
    history = client.get_execution_history(executionArn=run["executionArn"])["events"]
    told = json.dumps(history, default=str)
    assert not any(password in told for password in app.passwords)


def test_a_run_that_cannot_end_is_seen_to_fail(app: Application, told: Inbox) -> None:
    app.client.delete_secret(SecretId=app.arn, ForceDeleteWithoutRecovery=True)
    run: Any = start(app)
    assert run["status"] == "FAILED"
    (finding,) = said(app, told, 1)
    assert finding["kind"] == "needs-person"
    assert "The recovery stopped" in finding["what"]
