"""Queues that functions read, and tables that are throttled: what tests may ask of both."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Account


@pytest.fixture
def queue(account: Account) -> tuple[str, str]:
    """Name and address."""
    name = f"queue-{uuid.uuid4().hex[:8]}"
    return name, str(account.client("sqs").create_queue(QueueName=name)["QueueUrl"])


def test_what_was_received_is_visible_again_when_its_time_out_is_made_to_pass(
    account: Account, queue: tuple[str, str]
) -> None:
    name, url = queue
    sqs = account.client("sqs")
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    assert sqs.receive_message(QueueUrl=url)["Messages"]
    route = f"queues?name={name}"
    assert account.control(route) == {"messages": 1, "visible": 0, "batches": 0}
    assert account.control(route, {"timeOut": True})["visible"] == 1
    assert sqs.receive_message(QueueUrl=url)["Messages"]


def test_a_throttled_table_refuses_as_many_requests_as_were_asked_for(account: Account) -> None:
    dynamodb, name = account.client("dynamodb"), f"table-{uuid.uuid4().hex[:8]}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )
    account.control("throttling", {"table": name, "requests": 1000})
    for call in (_get, _batch):
        with pytest.raises(ClientError, match="ProvisionedThroughputExceeded"):
            call(dynamodb, name)
    assert 0 < account.control("throttling")[name] < 1000
    account.control("throttling", {"table": name, "requests": 0})
    assert "Item" not in _get(dynamodb, name)


def _get(dynamodb: Any, table: str) -> Any:
    return dynamodb.get_item(TableName=table, Key={"pk": {"S": "a"}})


def _batch(dynamodb: Any, table: str) -> Any:
    return dynamodb.batch_get_item(RequestItems={table: {"Keys": [{"pk": {"S": "a"}}]}})


def test_a_control_that_asks_for_what_is_not_there_is_refused(account: Account) -> None:
    for route, body in (
        ("queues?name=no-such-queue", {"timeOut": True}),
        ("throttling", {"table": "any", "requests": -1}),
    ):
        with pytest.raises(Exception, match="400"):
            account.control(route, json.loads(json.dumps(body)))
