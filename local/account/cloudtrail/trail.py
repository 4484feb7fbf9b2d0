"""The newest records, and their delivery to the default event bus."""

from __future__ import annotations

import contextvars
import json
import threading
from collections import deque
from itertools import islice
from typing import Any

from ministack import app
from ministack.core.responses import new_uuid, set_request_account_id, set_request_region
from ministack.services import eventbridge

CAPACITY = 20_000

Record = dict[str, Any]


class Trail:
    """Records by their position among all that were made; old ones are dropped."""

    def __init__(self, capacity: int) -> None:
        self._kept: deque[Record] = deque(maxlen=capacity)
        self._made = 0
        self._lock = threading.Lock()

    def add(self, record: Record) -> None:
        with self._lock:
            self._kept.append(record)
            self._made += 1

    def after(self, index: int) -> tuple[list[Record], int]:
        with self._lock:
            dropped = self._made - len(self._kept)
            return list(islice(self._kept, max(index - dropped, 0), None)), self._made


_trail = Trail(CAPACITY)


def records_after(index: int) -> tuple[list[Record], int]:
    """Records from position `index` on that are still kept, and the position after the last."""
    return _trail.after(index)


def publish(record: Record) -> None:
    """Keep the record at once, deliver it soon after: whoever made the call does not wait.

    Delivery runs on the server's loop like that of PutEvents, from whatever thread this is called.
    """
    _trail.add(record)
    loop = app._MAIN_LOOP
    if loop is not None and not loop.is_closed() and eventbridge._rules._data:
        loop.call_soon_threadsafe(_deliver, record, context=contextvars.copy_context())


def _deliver(record: Record) -> None:
    set_request_account_id(record["recipientAccountId"])
    set_request_region(record["awsRegion"])
    kind = "Service Event" if record["eventType"] == "AwsServiceEvent" else "API Call"
    eventbridge._dispatch_event(
        {
            "EventId": new_uuid(),
            "Source": "aws." + record["eventSource"].removesuffix(".amazonaws.com"),
            "DetailType": f"AWS {kind} via CloudTrail",
            "Detail": json.dumps(record),
            "EventBusName": "default",
            "Time": record["eventTime"],
            "Resources": [],
            "Account": record["recipientAccountId"],
            "Region": record["awsRegion"],
        }
    )
