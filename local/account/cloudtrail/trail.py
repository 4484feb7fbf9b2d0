"""The newest records, and their delivery to the default event bus."""

from __future__ import annotations

import threading
from collections import deque
from itertools import islice
from typing import Any

from local.account import bus

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


def keep(record: Record) -> None:
    """Keep a record of the past, which nobody hears of any more."""
    _trail.add(record)


def publish(record: Record) -> None:
    """Keep the record at once, and deliver it soon after."""
    _trail.add(record)
    kind = "Service Event" if record["eventType"] == "AwsServiceEvent" else "API Call"
    bus.publish(
        {
            "source": "aws." + record["eventSource"].removesuffix(".amazonaws.com"),
            "detail-type": f"AWS {kind} via CloudTrail",
            "detail": record,
            "time": record["eventTime"],
            "account": record["recipientAccountId"],
            "region": record["awsRegion"],
        }
    )
