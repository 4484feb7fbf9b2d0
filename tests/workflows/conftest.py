"""Workflows begin with what the test does, not with events of what was before."""

from datetime import UTC, datetime

import pytest

from tests.conftest import Deployed


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
