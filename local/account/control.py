"""The control endpoint `/_rekey/...`: JSON over HTTP, for tests and the demo, not part of AWS."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from ministack.services import stepfunctions

from local.account import bus, clock, cloudtrail, queues, throttling
from local.account.secretsmanager import dates, engine, retries, store

PREFIX = "/_rekey/"

Answer = dict[str, Any]
Asgi = Callable[
    [dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]],
    Awaitable[None],
]


class BadRequestError(Exception):
    """The request cannot be understood; the message goes back to the caller."""


def _clock(body: Answer, _: dict[str, str]) -> Answer:
    if body.get("reset") is True:
        clock.reset()
    elif body:
        clock.advance(_seconds(body.get("advanceSeconds"), "advanceSeconds"))
    return {"now": clock.now(), "offsetSeconds": clock.offset()}


def _passed(body: Answer, _: dict[str, str]) -> Answer:
    """A secret to which nothing has been done for a while, for who goes by the machine's clock."""
    with store.transaction():
        dates.passed(
            store.existing(str(body.get("secretId"))), _seconds(body.get("seconds"), "seconds")
        )
    return {}


def _records(body: Answer, query: dict[str, str]) -> Answer:
    """With a body: records of what has happened before, to be looked up and not delivered."""
    for record in _objects(body, "records") if body else ():
        cloudtrail.keep(record)
    after = query.get("after", "0")
    if not after.isdecimal():
        raise BadRequestError("after must be a whole number")
    records, following = cloudtrail.records_after(int(after))
    return {"records": records, "next": following}


def _rotation(body: Answer, _: dict[str, str]) -> Answer:
    if body:
        attempts, delays = body.get("attempts"), body.get("delays")
        if not isinstance(attempts, int) or attempts < 1:
            raise BadRequestError("attempts must be a whole number from 1")
        if not isinstance(delays, list) or not delays:
            raise BadRequestError("delays must be a list of seconds")
        retries.set_policy(attempts, [_seconds(delay, "delays") for delay in delays])
    policy = retries.policy()
    return {
        "attempts": policy.attempts,
        "delays": list(policy.delays),
        "running": engine.at_work(),
    }


def _waits(body: Answer, _: dict[str, str]) -> Answer:
    """How long a second is for state machines that wait or pause between attempts."""
    if body:
        stepfunctions._SFN_WAIT_SCALE = _seconds(body.get("scale"), "scale")
    return {"scale": stepfunctions._SFN_WAIT_SCALE}


def _events(body: Answer, _: dict[str, str]) -> Answer:
    """Events as AWS services send them: PutEvents takes none whose source begins with `aws.`."""
    events = _objects(body, "events")
    for event in events:
        bus.publish(event)
    return {"events": len(events)}


def _objects(body: Answer, name: str) -> list[Answer]:
    objects = body.get(name)
    if not isinstance(objects, list) or not all(isinstance(one, dict) for one in objects):
        raise BadRequestError(f"{name} must be a list of objects")
    return objects


def _queues(body: Answer, query: dict[str, str]) -> Answer:
    name = query.get("name", "")
    if body.get("timeOut") is True:
        queues.time_out(name)
    return dict(queues.state(name))


def _throttling(body: Answer, _: dict[str, str]) -> Answer:
    if body:
        requests = body.get("requests")
        if not isinstance(requests, int) or requests < 0:
            raise BadRequestError("requests must be a whole number from 0")
        throttling.throttle(str(body.get("table")), requests)
    return dict(throttling.left())


def _seconds(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise BadRequestError(f"{name} must be seconds, from 0")
    return float(value)


ROUTES: dict[tuple[str, str], Callable[[Answer, dict[str, str]], Answer]] = {
    ("GET", "clock"): _clock,
    ("POST", "clock"): _clock,
    ("POST", "passed"): _passed,
    ("GET", "records"): _records,
    ("POST", "records"): _records,
    ("GET", "rotation"): _rotation,
    ("POST", "rotation"): _rotation,
    ("POST", "events"): _events,
    ("GET", "queues"): _queues,
    ("POST", "queues"): _queues,
    ("GET", "throttling"): _throttling,
    ("POST", "throttling"): _throttling,
    ("GET", "waits"): _waits,
    ("POST", "waits"): _waits,
}


def answer(method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, Answer]:
    """Status and JSON for one request."""
    route = ROUTES.get((method, path.removeprefix(PREFIX)))
    if route is None:
        return 404, {"message": f"no {method} {path} here"}
    try:
        return 200, route(_object(body), query)
    except (ValueError, BadRequestError) as error:
        return 400, {"message": str(error)}


def _object(body: bytes) -> Answer:
    asked = json.loads(body or b"{}")
    if not isinstance(asked, dict):
        raise BadRequestError("the body must be a JSON object")
    return asked


def mount(application: Asgi) -> Asgi:
    """The application, with the control endpoint in front of it."""

    async def mounted(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await application(scope, receive, send)
            return
        query = {
            name: values[-1] for name, values in parse_qs(scope["query_string"].decode()).items()
        }
        status, content = answer(scope["method"], scope["path"], query, await _body(receive))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(content).encode()})

    return mounted


async def _body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body
