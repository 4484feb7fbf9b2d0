"""Queues that functions read: whole batches, and time-outs that a test need not wait for.

Sources: Lambda developer guide, "Using Lambda with Amazon SQS" (up to 10,000 messages of 6 MB in
all in one invocation; MiniStack takes ten); SQS developer guide, "Amazon SQS visibility timeout".
"""

from __future__ import annotations

import time
from itertools import accumulate, takewhile
from typing import Any

from ministack.services import lambda_svc, sqs

PAYLOAD = 6 * 1024 * 1024

Queue = dict[str, Any]


def _receive(url: str, most: int) -> list[dict[str, Any]]:
    """Up to a batch of messages for an event source, as many as an invocation can carry."""
    with sqs._queues_lock:
        queue = sqs._get_q(url)
        sqs._expire_retained(queue)
        sqs._dlq_sweep(queue)
        invisible = int(queue["attributes"].get("VisibilityTimeout", "30"))
        return list(sqs._collect_msgs(queue, _fitting(queue, most), invisible))


def _fitting(queue: Queue, most: int) -> int:
    visible = [m for m in queue["messages"] if m.get("visible_at", 0) <= time.time()][:most]
    sizes = accumulate(len(message["body"].encode()) for message in visible)
    return sum(1 for _ in takewhile(lambda size: size <= PAYLOAD, sizes))


def state(name: str) -> dict[str, int]:
    """How many messages a queue has, how many a consumer could get, and batches at work."""
    messages = _queue(name)["messages"]
    visible = sum(message["visible_at"] <= time.time() for message in messages)
    return {"messages": len(messages), "visible": visible, "batches": _batches(name)}


def time_out(name: str) -> None:
    """Let what was received and not deleted be visible again, as its time-out would."""
    with sqs._queues_lock:
        for message in _queue(name)["messages"]:
            message["visible_at"] = 0.0
    lambda_svc._esm_wake.set()


def _queue(name: str) -> Queue:
    queue: Queue | None = sqs._queues.get(sqs._queue_url(name))
    if queue is None:
        raise ValueError(f"there is no queue {name}")
    return queue


def _batches(name: str) -> int:
    mappings = [esm for *_, esm in lambda_svc._iter_all_esms()]
    mine = (esm for esm in mappings if esm["EventSourceArn"].rpartition(":")[2] == name)
    return sum(lambda_svc._esm_inflight.get(esm["UUID"], 0) for esm in mine)


def install() -> None:
    sqs._receive_messages_for_esm = _receive
