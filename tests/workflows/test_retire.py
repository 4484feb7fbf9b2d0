"""After a dual-password rotation the old password stops working by itself, when it may."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from rekey.model import Label, Strategy, Workflow
from tests.conftest import Deployed
from tests.end_to_end.application import Document, function_log, wait_for
from tests.end_to_end.mysql_application import MysqlApplication
from tests.workflows.runs import ended, runs, shortened, states

GRACE, STALE = 3900, 86_400
SCALE = 1 / 1300
"""The grace takes three seconds, which is longer than one rotation takes."""


@pytest.fixture(autouse=True)
def _shortened(deployed: Deployed) -> Iterator[None]:
    with shortened(deployed, SCALE):
        yield


@pytest.fixture
def app(deployed: Deployed, mariadb: Any) -> MysqlApplication:
    return MysqlApplication(deployed, mariadb, "mariadb", Strategy.DUAL_PASSWORD)


def logs_in(app: MysqlApplication, value: Document) -> bool:
    return app.refusal(value["username"], value["password"]) is None


def tag(app: MysqlApplication, key: str, value: str) -> None:
    app.client.tag_resource(SecretId=app.arn, Tags=[{"Key": key, "Value": value}])


def send_promotion(app: MysqlApplication, version: str, **other: Any) -> None:
    """The event of EventBridge, once more."""
    event = {
        "detail-type": "Secret Label Updated",
        "source": "aws.secretsmanager",
        "resources": [app.arn],
        "detail": {"name": "app", "labelUpdated": "AWSCURRENT", "versionId": version},
    }
    app.deployed.account.control("events", {"events": [event | other]})


def log_of_dispatch(app: MysqlApplication) -> list[Document]:
    lines = function_log(app.deployed, app.function_arn.replace("rotate-mysql", "dispatch"))
    return [line for line in lines if line.get("message") == "event"]


def dispatched(app: MysqlApplication) -> list[Document]:
    """What dispatch has logged about promotions of the secret."""
    lines = [line for line in log_of_dispatch(app) if "version_id" in line]
    return [line for line in lines if line["secret_arn"] == app.arn]


def holder(app: MysqlApplication, label: str) -> str:
    return next(version for version, labels in app.labels().items() if label in labels)


@pytest.mark.parametrize("engine", ["mysql", "mariadb"])
def test_the_old_password_works_for_the_grace_and_not_after_it(
    deployed: Deployed, engine: str, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue(engine)
    app = MysqlApplication(deployed, server, engine, Strategy.DUAL_PASSWORD)
    old = app.value("AWSCURRENT")
    assert app.rotate_and_wait()["eventName"] == "RotationSucceeded"
    assert logs_in(app, old)
    run = ended(app, Workflow.RETIRE)
    assert (run["status"], json.loads(run["output"])["outcome"]) == ("SUCCEEDED", "retired")
    assert states(app, run)[-1] == "Retired"
    assert logs_in(app, app.value("AWSCURRENT"))
    assert not logs_in(app, old)
    assert json.loads(run["input"]) == {
        "secretId": app.arn,
        "versionId": holder(app, "AWSCURRENT"),
        "functionArn": app.function_arn,
        "waitSeconds": GRACE,
        "staleSeconds": STALE,
    }


def test_a_secret_that_is_held_keeps_both_passwords(app: MysqlApplication) -> None:
    tag(app, "rekey:hold", "until the migration is over")
    old = app.value("AWSCURRENT")
    app.rotate_and_wait()
    run = ended(app, Workflow.RETIRE)
    assert (run["status"], states(app, run)[-1]) == ("SUCCEEDED", "Held")
    assert logs_in(app, old)
    assert logs_in(app, app.value("AWSCURRENT"))


def test_a_promotion_within_the_grace_leaves_the_retirement_to_the_newer_one(
    app: MysqlApplication,
) -> None:
    app.rotate_and_wait()
    between = app.value("AWSCURRENT")
    app.rotate_and_wait()
    first, second = ended(app, Workflow.RETIRE, 1), ended(app, Workflow.RETIRE, 2)
    assert [states(app, run)[-1] for run in (first, second)] == ["Superseded", "Retired"]
    assert not logs_in(app, between)
    assert logs_in(app, app.value("AWSCURRENT"))


def test_the_same_event_many_times_is_one_run(app: MysqlApplication) -> None:
    app.rotate_and_wait()
    current, previous = holder(app, "AWSCURRENT"), holder(app, "AWSPREVIOUS")
    for version in (current, previous, current, current):
        send_promotion(app, version)
    ended(app, Workflow.RETIRE)
    send_promotion(app, current)
    wait_for(lambda: len(dispatched(app)) >= 7, "dispatch to have seen all events")
    assert len(runs(app, Workflow.RETIRE)) == 1


def test_a_retirement_that_fails_is_seen_to_fail_and_locks_nobody_out(
    app: MysqlApplication,
) -> None:
    old = app.value("AWSCURRENT")
    app.rotate_and_wait()
    # Somebody takes the superuser's secret away within the grace.
    app.client.untag_resource(SecretId=app.superuser_arn, TagKeys=["rekey:superuser"])
    run = ended(app, Workflow.RETIRE)
    assert (run["status"], run["error"]) == ("FAILED", "SecretAccessDenied")
    assert logs_in(app, old)
    assert logs_in(app, app.value("AWSCURRENT"))


def test_a_retirement_waits_for_a_rotation_that_is_under_way(app: MysqlApplication) -> None:
    old = app.value("AWSCURRENT")
    app.rotate_and_wait()
    version = app.client.put_secret_value(
        SecretId=app.arn, SecretString="{}", VersionStages=["AWSPENDING"]
    )["VersionId"]
    (run,) = wait_for(lambda: runs(app, Workflow.RETIRE), "the retirement to begin")
    wait_for(lambda: "WaitForRotation" in states(app, run), "the retirement to wait")
    assert logs_in(app, old)
    app.client.update_secret_version_stage(
        SecretId=app.arn, VersionStage="AWSPENDING", RemoveFromVersionId=version
    )
    assert states(app, ended(app, Workflow.RETIRE))[-1] == "Retired"
    assert not logs_in(app, old)


def test_after_a_roll_back_the_rejected_password_goes_at_once(app: MysqlApplication) -> None:
    good = app.value("AWSCURRENT")
    app.rotate_and_wait()
    bad = app.value("AWSCURRENT")
    versions = holder(app, "AWSCURRENT"), holder(app, "AWSPREVIOUS")
    move = app.client.update_secret_version_stage
    move(SecretId=app.arn, VersionStage=str(Label.REJECTED), MoveToVersionId=versions[0])
    move(
        SecretId=app.arn,
        VersionStage="AWSCURRENT",
        MoveToVersionId=versions[1],
        RemoveFromVersionId=versions[0],
    )
    run = wait_for(
        lambda: next((r for r in runs(app, Workflow.RETIRE) if is_at_once(r)), None), "the run"
    )
    wait_for(lambda: not logs_in(app, bad), "the rejected password to be refused")
    assert json.loads(run["input"])["versionId"] == versions[1]
    assert logs_in(app, good)


def is_at_once(run: Document) -> bool:
    return bool(json.loads(run["input"])["waitSeconds"] == 0)


def test_other_strategies_and_values_written_by_hand_retire_nothing(
    deployed: Deployed, mariadb: Any, app: MysqlApplication
) -> None:
    single = MysqlApplication(deployed, mariadb, "mariadb", Strategy.SINGLE_USER)
    single.rotate_and_wait()
    app.client.put_secret_value(SecretId=app.arn, SecretString=json.dumps(app.value("AWSCURRENT")))
    for each in (single, app):
        seen = wait_for(lambda each=each: len(dispatched(each)) >= 2, "dispatch to see it")  # type: ignore[misc]  # of a loop
        assert seen
        assert {line["outcome"] for line in dispatched(each)} == {"ignored"}
        assert runs(each, Workflow.RETIRE) == []


def test_what_cannot_be_understood_is_reported_and_holds_up_nothing(
    app: MysqlApplication,
) -> None:
    send_promotion(app, "v1", resources=[f"not-{app.arn}"])
    app.rotate_and_wait()
    assert states(app, ended(app, Workflow.RETIRE))[-1] == "Retired"
    wait_for(
        lambda: any(line["outcome"] == "InvalidEvent" for line in log_of_dispatch(app)),
        "the event to be reported",
    )
