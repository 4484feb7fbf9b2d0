"""Every request passes here with its answer, and the management events among them are recorded."""

from __future__ import annotations

import json
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ministack import app
from ministack.core import router
from ministack.core.responses import get_account_id, get_request_client_ip

from local.account.cloudtrail import answers, companions, denials, identities, operations
from local.account.cloudtrail.parameters import Parameters, answered, requested
from local.account.cloudtrail.records import Origin, Outcome, api_call, now, tls_details
from local.account.cloudtrail.trail import publish

Answer = tuple[int, dict[str, str], bytes]

invoked_by: ContextVar[str | None] = ContextVar("invoked_by", default=None)
"""The service of AWS that makes the request in its caller's name, such as Step Functions."""


@dataclass(frozen=True)
class Call:
    """A request for a management event."""

    service: str
    name: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: dict[str, Any]
    request_id: str


def call_of(
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    query: dict[str, Any],
    request_id: str,
) -> Call | None:
    """None for what CloudTrail does not show among the management events."""
    parameters = app._routing_params(method, path, headers, body, query)
    service = router.detect_service(method, path, headers, parameters)
    name = operations.name_of(service, method, path, headers, body, parameters)
    if name is None:
        return None
    return Call(service, name, method, path, headers, body, query, request_id)


def record(call: Call, answer: Answer) -> None:
    origin = _origin(call)
    error = answers.error_of(*answer)
    if origin is None or answers.is_unauthenticated(error):
        return
    read_only = operations.is_read_only(call.service, call.name)
    made = api_call(
        origin,
        call.service,
        "ListBuckets" if call.name == "ListAllMyBuckets" else call.name,
        _outcome(call, answer, error, read_only=read_only),
        read_only=read_only,
        request_id=call.request_id,
    )
    if invoked_by.get() is None:
        made["tlsDetails"] = tls_details(call.service, origin.region)
    publish(made)
    if call.service == "secretsmanager" and error is None:
        for companion in companions.of_call(origin, call.name, _sent(call), answer[2]):
            publish(companion)


def _origin(call: Call) -> Origin | None:
    identity = identities.identity_of(router.extract_access_key_id(call.headers, call.query))
    if identity is None:
        return None
    origin = Origin(
        identity=identity,
        account=get_account_id(),
        region=router.extract_region(call.headers, call.query),
        address=get_request_client_ip(),
        agent=call.headers.get("user-agent", ""),
        time=now(),
    )
    service = invoked_by.get()
    return origin.by(service) if service else origin


def _outcome(
    call: Call, answer: Answer, error: tuple[str, str] | None, *, read_only: bool
) -> Outcome:
    parameters = requested(call.service, call.path, call.headers, call.body, call.query)
    if error:
        return Outcome(None if answers.is_denial(error) else parameters, error=error)
    elements = None if read_only else answered(call.service, call.name, answer[2])
    return Outcome(parameters, elements)


def _sent(call: Call) -> Parameters:
    """What a caller of Secrets Manager sent, secrets included."""
    try:
        sent = json.loads(call.body or b"{}")
    except ValueError:
        return {}
    return sent if isinstance(sent, dict) else {}


def _whole(answer: Any) -> Answer:
    """Handlers answer in bytes or text; into a stream nobody looks."""
    status, headers, body = answer
    content = body.encode() if isinstance(body, str) else body
    return status, headers, content if isinstance(content, bytes) else b""


def install() -> None:
    stock = app._dispatch_service_request

    async def dispatch(
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        request_id: str,
    ) -> Any:
        call = call_of(method, path, headers, body, query_params, request_id)
        if call and call.service == "secretsmanager":
            sent = _sent(call)
            denials.asked_secret.set(sent.get("SecretId") or sent.get("Name"))
        answer = await stock(method, path, headers, body, query_params, request_id)
        if call:
            record(call, _whole(answer))
        return answer

    app._dispatch_service_request = dispatch
