"""Workflows begin with what the test does, not with events of what was before."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from local.postgres import Postgres
from tests.conftest import Deployed
from tests.end_to_end.application import Application
from tests.inbox import Inbox
from tests.workflows.recoveries import rotated, told_in_histories


@pytest.fixture(autouse=True)
def _nothing_was_told_today(deployed: Deployed) -> None:
    """A run of tests has more messages in a day than people are told of one by one."""
    client, name = deployed.account.client("dynamodb"), deployed.state_table
    counted = client.query(
        TableName=name,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"crowd#{datetime.now(UTC):%Y-%m-%d}"}},
    )["Items"]
    for item in counted:
        client.delete_item(TableName=name, Key={key: item[key] for key in ("pk", "sk")})


@pytest.fixture(scope="module", autouse=True)
def _nothing_waits(deployed: Deployed) -> None:
    client = deployed.account.client("sqs")
    for name in ("rekey-events", "rekey-access"):
        client.purge_queue(QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"])


@pytest.fixture(autouse=True)
def _reaches_what_it_names(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that names rows of the decision table must have come to them."""
    yield
    named = [found for mark in request.node.iter_markers("reaches") for found in mark.args]
    if named:
        given = request.node.funcargs
        app = next(value for value in given.values() if isinstance(value, Application))
        told = told_in_histories(app) + "".join(about(app, given.get("told")))
        assert [found for found in named if found not in told] == []


def about(app: Application, told: Inbox | None) -> Iterator[str]:
    """What people were told of the secret."""
    for message in told.messages if told else ():
        if app.arn in message["Message"]:
            yield json.loads(message["Message"])["what"]


@pytest.fixture(scope="module")
def told(deployed: Deployed) -> Inbox:
    """Whatever people get to know."""
    return Inbox.make(deployed.account).subscribe(deployed.alerts_topic_arn)


@pytest.fixture
def bare(deployed: Deployed, postgres: Postgres) -> Application:
    """Nothing rotates it."""
    return Application(deployed, postgres)


@pytest.fixture
def app(bare: Application) -> Application:
    return rotated(bare)


@pytest.fixture
def alternating(deployed: Deployed, postgres: Postgres) -> Application:
    return rotated(Application(deployed, postgres, alternating=True))
