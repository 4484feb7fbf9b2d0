"""The deployed way of a record: bus, rules, queue, function, table, people; and its troubles."""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rekey.aws.access_state import _item, _raw
from rekey.known import Item, Key
from tests.access.records import Record
from tests.conftest import Deployed
from tests.end_to_end.application import function_log
from tests.faults.deployed import processes_of
from tests.inbox import Inbox

QUEUE, FUNCTION = "rekey-access", "rekey-watch-access"
CHUNK, REFUSED = 500, 60
PATIENCE = 300.0

Raw = Mapping[str, Any]
"""An item as the table has it."""


@dataclass
class Pipeline:
    """The access part of the stack.

    ``strikes`` counts processes that were killed; ``before`` are the items that ``put`` took away.
    """

    deployed: Deployed
    inbox: Inbox
    strikes: int = 0
    before: list[Raw] | None = None

    @property
    def table(self) -> str:
        names = self.deployed.account.client("dynamodb").list_tables()["TableNames"]
        return str(next(name for name in names if "StateTable" in name))

    def put(self, items: Iterable[Item]) -> None:
        """Let these be all that the table holds, until ``forget``."""
        self.before = list(self._scan())
        self._delete(self.before)
        self._put(map(_raw, items))

    def forget(self) -> None:
        """Let the table hold again what it held before ``put``, if that was called."""
        if self.before is not None:
            self._delete(self._scan())
            self._put(self.before)

    def items(self) -> dict[Key, Item]:
        """All that is known."""
        found = (_item(raw) for raw in self._scan() if "known" in raw)
        return {item.key: item for item in found}

    def publish(self, records: Iterable[Record]) -> None:
        """Put records on the bus, as CloudTrail does."""
        events = [_event(record) for record in records]
        for start in range(0, len(events), CHUNK):
            self.deployed.account.control("events", {"events": events[start : start + CHUNK]})

    def send(self, bodies: Iterable[str]) -> None:
        """Put messages into the queue that no rule would."""
        sqs = self.deployed.account.client("sqs")
        url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
        for body in bodies:
            sqs.send_message(QueueUrl=url, MessageBody=body)

    def dead_letters(self) -> list[str]:
        """Take them out."""
        sqs = self.deployed.account.client("sqs")
        queues = sqs.list_queues()["QueueUrls"]
        return list(_received(sqs, next(url for url in queues if "DeadLetters" in url)))

    def reasons(self) -> Counter[str]:
        """Why messages failed, as the function's log says."""
        lines = function_log(self.deployed, f":{FUNCTION}")
        return Counter(str(line["reason"]) for line in lines if "reason" in line)

    def messages(self) -> list[Mapping[str, Any]]:
        """What people have been told, in the order in which it came."""
        sqs = self.deployed.account.client("sqs")
        told = map(json.loads, _received(sqs, self.inbox.url))
        return [json.loads(one["Message"]) for one in told]

    @contextmanager
    def batches_of(self, size: int) -> Iterator[None]:
        """Hand the function fewer messages at once than it would get."""
        client = self.deployed.account.client("lambda")
        (mapping,) = client.list_event_source_mappings(FunctionName=FUNCTION)["EventSourceMappings"]
        client.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=size)
        try:
            yield
        finally:
            before = mapping["BatchSize"]
            client.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=before)

    def throttle(self, requests: int = REFUSED) -> None:
        """Refuse the next requests to the table."""
        self.deployed.account.control("throttling", {"table": self.table, "requests": requests})

    def kill(self) -> None:
        """Kill a process of the function while it works: a batch that waits for the table."""
        endpoint = self.deployed.account.endpoint

        def killed() -> bool:
            at_work = self._look()["batches"]
            running = processes_of(endpoint, FUNCTION) if at_work else []
            if running:
                os.kill(random.choice(running), signal.SIGKILL)  # noqa: S311 - any will do
            return bool(running)

        until(killed, "the function to be at work")
        self.strikes += 1

    def drain(self) -> None:
        """Wait until the queue is empty. The table gets better when all have given up on it."""
        try:
            until(lambda: not self._look()["messages"], "the queue to be empty")
        finally:
            self.throttle(0)

    def _look(self) -> dict[str, int]:
        """Return the queue's state; six minutes later, if all that is left of it waits for that."""
        state = self._state()
        if state["messages"] and not (state["visible"] or state["batches"]):
            # No table is throttled for that long.
            self.throttle(0)
            self._control({"timeOut": True})
        return state

    def _state(self) -> dict[str, int]:
        return self._control(None)

    def _control(self, body: Mapping[str, Any] | None) -> dict[str, int]:
        return self.deployed.account.control(f"queues?name={QUEUE}", body)

    def _scan(self) -> Iterator[Raw]:
        dynamodb = self.deployed.account.client("dynamodb")
        for page in dynamodb.get_paginator("scan").paginate(TableName=self.table):
            yield from page["Items"]

    def _put(self, items: Iterable[Raw]) -> None:
        self._write([{"PutRequest": {"Item": item}} for item in items])

    def _delete(self, items: Iterable[Raw]) -> None:
        keys = [{name: item[name] for name in ("pk", "sk")} for item in items]
        self._write([{"DeleteRequest": {"Key": key}} for key in keys])

    def _write(self, requests: list[dict[str, Any]]) -> None:
        dynamodb, table = self.deployed.account.client("dynamodb"), self.table
        for start in range(0, len(requests), 25):
            answer = dynamodb.batch_write_item(RequestItems={table: requests[start : start + 25]})
            assert not answer["UnprocessedItems"]


def until(condition: Callable[[], Any], what: str) -> None:
    """Return once the condition holds."""
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit, f"waited {PATIENCE} s for {what}"
        time.sleep(0.02)


@contextmanager
def secrets_of(deployed: Deployed, names: Iterable[str]) -> Iterator[dict[str, str]]:
    """Real secrets, by these names their ARNs.

    Their own names are new each time: the function goes on with the ARN of one that it has met.
    """
    manager, place = deployed.account.client("secretsmanager"), secrets.token_hex(4)
    arns = {
        name: str(manager.create_secret(Name=f"{place}/{name}", SecretString="x")["ARN"])
        for name in names
    }
    try:
        yield arns
    finally:
        for arn in arns.values():
            manager.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


def _event(record: Record) -> dict[str, Any]:
    return {
        "source": f"aws.{record['eventSource'].removesuffix('.amazonaws.com')}",
        "detail-type": "AWS API Call via CloudTrail",
        "detail": record,
        "time": record["eventTime"],
    }


def _received(sqs: Any, url: str) -> Iterator[str]:
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            yield message["Body"]
