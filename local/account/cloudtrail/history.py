"""LookupEvents: the records of the last 90 days, the newest first.

Source: CloudTrail API reference, "LookupEvents" and "Event".
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudtrail

from local.account import clock
from local.account.cloudtrail.trail import Record, records_after

KEPT = 90 * 86_400
PAGE = 50
REQUESTS_A_SECOND = 2

Answer = tuple[int, dict[str, str], bytes]
Request = dict[str, Any]
Place = tuple[float, int]
"""Time and position of a record: what a page ends with."""

_asked: dict[tuple[str, str], deque[float]] = {}
"""When the last requests of an account and region came."""


class RefusedError(Exception):
    """A request that CloudTrail refuses: the code, and the text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def lookup_events(request: Request) -> Answer:
    try:
        _throttle()
        _check(request)
        found = _page(request)
    except RefusedError as error:
        answer: Answer = cloudtrail._err(error.code, str(error))
        return answer
    done: Answer = cloudtrail._ok(found)
    return done


def _throttle() -> None:
    recent = _asked.setdefault((get_account_id(), get_region()), deque(maxlen=REQUESTS_A_SECOND))
    now = time.monotonic()
    if len(recent) == REQUESTS_A_SECOND and now - recent[0] < 1:
        raise RefusedError("ThrottlingException", "Rate exceeded")
    recent.append(now)


def _check(request: Request) -> None:
    attributes = request.get("LookupAttributes", [])
    if len(attributes) > 1 or any(a.get("AttributeKey") not in ATTRIBUTES for a in attributes):
        raise RefusedError(
            "InvalidLookupAttributesException", "You can specify only one attribute."
        )
    if not 1 <= request.get("MaxResults", PAGE) <= PAGE:
        raise RefusedError("InvalidMaxResultsException", f"MaxResults must be from 1 to {PAGE}.")
    if request.get("StartTime", 0) > request.get("EndTime", float("inf")):
        raise RefusedError("InvalidTimeRangeException", "The start is after the end.")


def _page(request: Request) -> dict[str, Any]:
    size, after = request.get("MaxResults", PAGE), _after(request)
    found = sorted(_matching(request), key=lambda entry: entry[0], reverse=True)
    rest = [entry for entry in found if after is None or entry[0] < after]
    events = [_event(at, record) for (at, _), record in rest[:size]]
    if len(rest) <= size:
        return {"Events": events}
    return {"Events": events, "NextToken": _token(request, rest[size - 1][0])}


def _matching(request: Request) -> Iterator[tuple[Place, Record]]:
    earliest = max(request.get("StartTime", 0), clock.now() - KEPT)
    latest = request.get("EndTime", float("inf"))
    here = (get_account_id(), get_region())
    for position, record in enumerate(records_after(0)[0]):
        at = datetime.fromisoformat(record["eventTime"]).timestamp()
        if (
            earliest <= at <= latest
            and (record["recipientAccountId"], record["awsRegion"]) == here
            and all(_has(record, a) for a in request.get("LookupAttributes", []))
        ):
            yield (at, position), record


def _has(record: Record, attribute: dict[str, str]) -> bool:
    return attribute["AttributeValue"] in ATTRIBUTES[attribute["AttributeKey"]](record)


def _user_name(record: Record) -> str:
    """A role's session goes by its own name."""
    identity = record["userIdentity"]
    if "userName" in identity:
        return str(identity["userName"])
    arn = str(identity.get("arn", ""))
    return "root" if identity.get("type") == "Root" else arn.rpartition("/")[2]


def _resources(record: Record) -> list[dict[str, str]]:
    return [
        {"ResourceType": found.get("type", ""), "ResourceName": found.get("ARN", "")}
        for found in record.get("resources") or []
    ]


def _event(at: float, record: Record) -> dict[str, Any]:
    return {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": str(record["readOnly"]).lower(),
        "EventTime": at,
        "EventSource": record["eventSource"],
        "Username": _user_name(record),
        "Resources": _resources(record),
        "CloudTrailEvent": json.dumps(record),
        **({"AccessKeyId": key} if (key := record["userIdentity"].get("accessKeyId")) else {}),
    }


ATTRIBUTES: dict[str, Callable[[Record], Collection[str | None]]] = {
    "AccessKeyId": lambda r: (r["userIdentity"].get("accessKeyId"),),
    "EventId": lambda r: (r["eventID"],),
    "EventName": lambda r: (r["eventName"],),
    "EventSource": lambda r: (r["eventSource"],),
    "ReadOnly": lambda r: (str(r["readOnly"]).lower(),),
    "ResourceName": lambda r: [one["ResourceName"] for one in _resources(r)],
    "ResourceType": lambda r: [one["ResourceType"] for one in _resources(r)],
    "Username": lambda r: (_user_name(r),),
}


def _asks(request: Request) -> str:
    """A token is good only for the request that it came from."""
    asked = {name: value for name, value in request.items() if name != "NextToken"}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _token(request: Request, place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps([_asks(request), *place]).encode()).decode()


def _after(request: Request) -> Place | None:
    if "NextToken" not in request:
        return None
    try:
        asked, at, position = json.loads(base64.urlsafe_b64decode(request["NextToken"]))
    except ValueError:
        asked, at, position = "", 0.0, 0
    if asked != _asks(request):
        raise RefusedError("InvalidNextTokenException", "The token is of another request.")
    return at, position


def install() -> None:
    cloudtrail._DISPATCH["LookupEvents"] = lookup_events
