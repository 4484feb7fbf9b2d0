"""CloudTrail's event history: the management events of the last 90 days, the newest first.

Source: CloudTrail API reference, "LookupEvents": one attribute a request, 50 events a page, two
requests a second for account and region, whoever makes them.
"""

import heapq
import json
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient

PATIENT = Config(retries={"mode": "adaptive", "total_max_attempts": 10})
"""Others look events up as well: adaptive retries slow down where CloudTrail refuses."""

INTERVAL = 0.5
TOKEN_IS_OLD = "InvalidNextTokenException"  # noqa: S105 - the code of an error

Record = dict[str, Any]


@dataclass
class Pace:
    """Keeps ``interval`` seconds between two requests."""

    interval: float = INTERVAL
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _last: float = field(default=float("-inf"), init=False)

    def wait(self) -> None:
        left = self._last + self.interval - self.now()
        if left > 0:
            self.sleep(left)
        self._last = self.now()


@dataclass(frozen=True)
class EventHistory:
    """The history of the client's account and region."""

    client: "CloudTrailClient"
    pace: Pace = field(default_factory=Pace)

    def records(
        self, calls: Collection[str], since: int, until: int
    ) -> Iterator[tuple[int, Record]]:
        """Yield time (epoch) and record of all calls of these names, the newest first.

        Raises what botocore raises.
        """
        streams = (self._of_one_call(call, since, until) for call in calls)
        return heapq.merge(*streams, key=lambda found: -found[0])

    def _of_one_call(self, call: str, since: int, until: int) -> Iterator[tuple[int, Record]]:
        token, last = None, None
        while True:
            try:
                answer = self._page(call, since, until, token)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code != TOKEN_IS_OLD or last is None or last == until:
                    raise
                # From the last time on anew: a repetition changes nothing that is learned.
                token, until = None, last
                continue
            for event in answer["Events"]:
                last = int(event["EventTime"].timestamp())
                yield last, json.loads(event["CloudTrailEvent"])
            token = answer.get("NextToken")
            if token is None:
                return

    def _page(self, call: str, since: int, until: int, token: str | None) -> Any:
        self.pace.wait()
        more: dict[str, Any] = {"NextToken": token} if token else {}
        return self.client.lookup_events(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": call}],
            StartTime=datetime.fromtimestamp(since, UTC),
            EndTime=datetime.fromtimestamp(until, UTC),
            **more,
        )
