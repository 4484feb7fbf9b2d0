"""A queue that listens, to a topic or to a rule."""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from local.running_account import RunningAccount

PATIENCE = 60.0
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

    account: RunningAccount
    url: str
    arn: str
    messages: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def make(cls, account: RunningAccount) -> Self:
        sqs, name = account.client("sqs"), f"inbox-{uuid.uuid4().hex[:8]}"
        url = sqs.create_queue(QueueName=name, Attributes={"Policy": FROM_SNS})["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return cls(account, url, attributes["Attributes"]["QueueArn"])

    def subscribe(self, topic: str, **attributes: str) -> Self:
        """Listen to a topic; `attributes` are those of the subscription."""
        self.account.client("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=self.arn, Attributes=attributes
        )
        return self

    def until(self, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """The messages' bodies, once there are enough; fails the test if it takes long."""
        sqs, limit = self.account.client("sqs"), time.monotonic() + PATIENCE
        while not enough(self.messages):
            assert time.monotonic() < limit, f"only {self.messages}"
            answer = sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1
            )
            for message in answer.get("Messages", []):
                self.messages.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return self.messages

    def first(self, count: int) -> list[dict[str, Any]]:
        """The messages' bodies, once there are `count` of them."""
        return self.until(lambda messages: len(messages) >= count)
