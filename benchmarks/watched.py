"""The deployed function that watches reads: its own CPU time, its calls to the table included."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.stage import wait_for
from local.deploy import deploy
from local.running_account import RunningAccount
from tests.access.life import Life
from tests.access.records import Record
from tests.faults.deployed import processes_of

QUEUE, FUNCTION = "rekey-access", "rekey-watch-access"
SEED, AT_ONCE = 11, 10
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Watched:
    """``cpu`` is of all processes of the function, in seconds, their starts left out."""

    events: int
    cpu: float
    wall: float


def watched(number: int) -> Watched:
    """Let the function as deployed take in so many events of an ordinary day, none of it known."""
    events = Life(SEED).records(0)[:number]
    with RunningAccount() as account:
        deploy(account.port)
        client = account.client("lambda")
        (mapping,) = client.list_event_source_mappings(FunctionName=FUNCTION)["EventSourceMappings"]
        _take_in(account, events[:1])
        started = _cpu(account)
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        _send(account, events[1:])
        begun = time.perf_counter()
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
        _emptied(account)
        return Watched(len(events) - 1, _cpu(account) - started, time.perf_counter() - begun)


def _take_in(account: RunningAccount, events: list[Record]) -> None:
    _send(account, events)
    _emptied(account)


def _send(account: RunningAccount, events: list[Record]) -> None:
    sqs: Any = account.client("sqs")
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    for start in range(0, len(events), AT_ONCE):
        entries = [
            {"Id": str(number), "MessageBody": json.dumps({"detail": event})}
            for number, event in enumerate(events[start : start + AT_ONCE])
        ]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)


def _emptied(account: RunningAccount) -> None:
    wait_for(
        lambda: True if not account.control(f"queues?name={QUEUE}")["messages"] else None,
        "the queue to be empty",
    )


def _cpu(account: RunningAccount) -> float:
    """Fields 14 and 15 of proc(5)."""
    running = processes_of(account.endpoint, FUNCTION)
    stats = (Path(f"/proc/{pid}/stat").read_text() for pid in running)
    times = (stat.rpartition(")")[2].split() for stat in stats)
    return sum(int(fields[11]) + int(fields[12]) for fields in times) / TICKS
