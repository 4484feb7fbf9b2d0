"""A table, a topic and a bus of the account, with somebody who listens to each."""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.running_account import RunningAccount

PATIENCE = 20.0
FROM_SNS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": "*",
            }
        ],
    }
)


@dataclass
class Inbox:
    """A queue, and what has arrived in it so far."""

    sqs: Any
    url: str
    arn: str
    messages: list[dict[str, Any]] = field(default_factory=list)

    def until(self, count: int) -> list[dict[str, Any]]:
        """The messages' bodies, once there are `count` of them; fails the test if it takes long."""
        deadline = time.monotonic() + PATIENCE
        while len(self.messages) < count:
            assert time.monotonic() < deadline, f"{len(self.messages)} of {count} messages"
            answer = self.sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1
            )
            for message in answer.get("Messages", []):
                self.messages.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return self.messages


@pytest.fixture
def inbox(account: RunningAccount) -> Callable[[], Inbox]:
    def make() -> Inbox:
        sqs = account.client("sqs")
        url = sqs.create_queue(
            QueueName=f"inbox-{uuid.uuid4().hex[:8]}", Attributes={"Policy": FROM_SNS}
        )["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return Inbox(sqs, url, attributes["Attributes"]["QueueArn"])

    return make


@pytest.fixture(scope="session")
def state_table(account: RunningAccount) -> str:
    """A table with the keys of the template's StateTable."""
    name = f"state-{uuid.uuid4().hex[:8]}"
    keys = (("pk", "HASH"), ("sk", "RANGE"))
    account.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
    )
    return name
