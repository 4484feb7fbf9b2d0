"""Events that come never, late, many times or in another order: the same end, told the same."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Iterator

import pytest

from local.postgres import Postgres
from rekey.alerts.troubles import LINGERING
from rekey.model import Happened, Workflow
from tests.conftest import Deployed
from tests.end_to_end.application import Application, Document, retries, wait_for
from tests.inbox import Inbox
from tests.workflows.recoveries import (
    SILENT,
    begun,
    comes_to,
    cut_off,
    end,
    failure,
    holder,
    rotated,
    start,
)
from tests.workflows.runs import ended, runs, shortened, states
from tests.workflows.test_alerts import sweep

FINISHED = "The rotation was finished with the new password."


@pytest.fixture(autouse=True)
def _shortened(deployed: Deployed) -> Iterator[None]:
    with shortened(deployed, 1 / 100), retries(deployed, 1):
        yield


@pytest.fixture(scope="module")
def told(deployed: Deployed) -> Inbox:
    return Inbox.make(deployed.account).subscribe(deployed.alerts_topic_arn)


def about(app: Application, told: Inbox) -> list[Document]:
    """What people were told of the secret's rotation, in order."""
    findings = [json.loads(message["Message"]) for message in told.messages]
    return [f for f in findings if f["topic"] == f"rotation/{app.arn}"]


def other(app: Application, name: str, token: str) -> Document:
    """An event of another kind, which is older than the failure."""
    event = failure(app, token, Happened.TEST_FAILED)
    detail = event["detail"]
    detail |= {"eventName": name, "eventTime": "2020-01-01T00:00:00Z"}
    del detail["errorMessage"]
    return event


def again(event: Document) -> Document:
    """The service repeats a rotation that failed, and tells of that too."""
    return event | {"detail": event["detail"] | {"eventID": str(uuid.uuid4())}}


DELIVERIES = ("once", "many times", "with its repetitions", "after all else", "before all else")


def delivery(how: str, app: Application, token: str) -> list[Document]:
    failed = failure(app, token, Happened.TEST_FAILED)
    others = [
        other(app, "RotationSucceeded", holder(app, "AWSCURRENT")),
        other(app, "RotationStarted", token),
        other(app, "RotationAbandoned", str(uuid.uuid4())),
    ]
    return {
        "once": [failed],
        "many times": [failed] * 4,
        "with its repetitions": [failed, again(failed), again(failed)],
        "after all else": [*others, failed],
        "before all else": [failed, *others],
    }[how]


def shuffled(deliveries: list[list[Document]], seed: int) -> list[Document]:
    """All of them together: the events of each in their order, unless it is one of repetitions."""
    luck = random.Random(seed)  # noqa: S311 - an order that can be repeated
    waiting = [list(events) for events in deliveries if events]
    mixed = []
    while waiting:
        events = luck.choice(waiting)
        mixed.append(events.pop(0))
        waiting = [events for events in waiting if events]
    return mixed


def send(deployed: Deployed, events: list[Document]) -> None:
    deployed.account.control("events", {"events": events})


def quiet(deployed: Deployed) -> None:
    """Until no event waits and no recovery runs: then everybody has been told."""
    sqs, machines = (deployed.account.client(name) for name in ("sqs", "stepfunctions"))
    url = sqs.get_queue_url(QueueName="rekey-events")["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    arn = deployed.state_machine_arn(Workflow.RECOVER)

    def is_quiet() -> bool:
        waiting = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        running = machines.list_executions(stateMachineArn=arn, statusFilter="RUNNING")
        return not running["executions"] and not any(map(int, waiting.values()))

    wait_for(lambda: is_quiet() and is_quiet(), "all events and recoveries to be done with")


def outcomes(app: Application) -> list[str]:
    """How the recoveries of the secret ended, but for those that found nothing to do."""
    last = [states(app, run)[-1] for run in runs(app, Workflow.RECOVER)]
    return [state for state in last if state not in SILENT]


def hear(told: Inbox, apps: list[Application], count: int = 1) -> None:
    told.until(lambda _: all(len(about(app, told)) >= count for app in apps))


def test_however_a_failure_is_told_it_has_the_same_end_and_one_message(
    deployed: Deployed, postgres: Postgres, told: Inbox
) -> None:
    apps = [rotated(Application(deployed, postgres)) for _ in DELIVERIES]
    tokens = [cut_off(app) for app in apps]
    sent = [delivery(*each) for each in zip(DELIVERIES, apps, tokens, strict=True)]
    send(deployed, shuffled(sent, seed=6))
    hear(told, apps)
    for app, token in zip(apps, tokens, strict=True):
        ended(app, Workflow.RECOVER)
        assert holder(app, "AWSCURRENT") == token
    # It comes late: when all is mended, and when another rotation has succeeded.
    send(deployed, [again(event) for events in sent for event in events if is_failure(event)])
    quiet(deployed)
    assert [outcomes(app) for app in apps] == [["Recovered"]] * len(apps)
    assert [holder(app, "AWSCURRENT") for app in apps] == tokens
    later = rotated(apps[0])
    send(deployed, [again(event) for event in sent[0]])
    quiet(deployed)
    assert holder(later, "AWSPREVIOUS") == tokens[0]
    for app in apps:
        assert app.logs_in("AWSCURRENT")
        assert holder(app, "AWSPENDING") in ("", holder(app, "AWSCURRENT"))
        (finding,) = about(app, told)
        assert (finding["kind"], finding["status"]) == ("recovered", "solved")
        assert finding["done"] == [FINISHED]


def is_failure(event: Document) -> bool:
    return bool(event["detail"]["eventName"] == "RotationFailed")


def test_a_failure_of_a_later_step_is_recovered_however_soon_it_comes(
    deployed: Deployed, postgres: Postgres
) -> None:
    """A person rotates again with the same token, and the password changes this time."""
    app = rotated(Application(deployed, postgres))
    token = str(uuid.uuid4())
    send(deployed, [failure(app, token, Happened.CREATE_FAILED)])
    assert end(app) == ("SUCCEEDED", "NeedsPerson")
    cut_off(app, token)
    assert not app.logs_in("AWSCURRENT")
    send(deployed, [failure(app, token, Happened.TEST_FAILED)])
    assert end(app, 2) == ("SUCCEEDED", "Recovered")
    assert holder(app, "AWSCURRENT") == token
    assert app.logs_in("AWSCURRENT")


def test_a_rotation_that_fails_again_after_its_recovery_is_recovered_again(
    deployed: Deployed, postgres: Postgres
) -> None:
    """It comes while the first recovery waits to rotate again, which is not called for then."""
    app = rotated(Application(deployed, postgres))
    token = begun(app)
    send(deployed, [failure(app, token, Happened.SET_FAILED)])
    comes_to(app, "WaitToRotateAgain")
    app.client.update_secret_version_stage(
        SecretId=app.arn, VersionStage="AWSPENDING", MoveToVersionId=token
    )
    value = app.value("AWSPENDING")
    app.server.change_password(value["username"], value["password"])
    send(deployed, [failure(app, token, Happened.TEST_FAILED)])
    assert end(app, 2) == ("SUCCEEDED", "Recovered")
    assert end(app) == ("SUCCEEDED", "LeftAsItIs")
    assert holder(app, "AWSCURRENT") == token
    assert app.logs_in("AWSCURRENT")


def test_a_run_takes_no_lock_away_but_its_own(deployed: Deployed, app: Application) -> None:
    token = str(uuid.uuid4())
    client, name = deployed.account.client("dynamodb"), deployed.state_table
    key = {"pk": {"S": f"recover#{app.arn}"}, "sk": {"S": token}}
    held = {"holder": {"S": "another"}, "expires": {"N": str(int(time.time()) + 3600)}}
    client.put_item(TableName=name, Item=key | held)
    send(deployed, [failure(app, token, Happened.SET_FAILED)])
    assert end(app) == ("SUCCEEDED", "AtWorkAlready")
    start(app, versionId=token)
    assert client.get_item(TableName=name, Key=key)["Item"] == key | held


def test_a_failure_that_nobody_tells_of_is_found_by_the_sweep_with_the_same_end(
    deployed: Deployed, postgres: Postgres, told: Inbox
) -> None:
    app = rotated(Application(deployed, postgres))
    token = cut_off(app)
    passed = {"secretId": app.arn, "seconds": LINGERING.total_seconds() + 60}
    app.deployed.account.control("passed", passed)
    sweep(deployed)
    hear(told, [app], 2)
    sweep(deployed)
    # Its event comes at last.
    send(deployed, [failure(app, token, Happened.TEST_FAILED)])
    quiet(deployed)
    assert outcomes(app) == ["Recovered"]
    assert holder(app, "AWSCURRENT") == token
    assert app.logs_in("AWSCURRENT")
    found, over = about(app, told)
    assert (found["kind"], found["status"]) == ("stuck-pending", "open")
    assert (over["kind"], over["status"], over["done"]) == ("recovered", "solved", [FINISHED])
    assert over["incident"] == found["incident"]
