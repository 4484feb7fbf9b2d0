"""Whatever passes over the default bus, for tests that look for what must not."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.conftest import Deployed


@dataclass(frozen=True)
class Bus:
    """A queue that gets every event, those of reads included."""

    sqs: Any
    url: str

    def events(self) -> list[str]:
        """Take out what has come, as it came."""
        bodies: list[str] = []
        while found := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in found:
                bodies.append(message["Body"])
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return bodies


@contextmanager
def everything_on_the_bus(deployed: Deployed) -> Iterator[Bus]:
    """Listen for as long as this is open."""
    sqs, events = (deployed.account.client(service) for service in ("sqs", "events"))
    name = f"bus-{secrets.token_hex(4)}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    events.put_rule(
        Name=name,
        EventPattern=json.dumps({"account": [{"exists": True}]}),
        State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
    )
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn["QueueArn"]}])
    try:
        yield Bus(sqs, url)
    finally:
        events.remove_targets(Rule=name, Ids=["queue"])
        events.delete_rule(Name=name)
        sqs.delete_queue(QueueUrl=url)
