"""Runs one step of a rotation: a synchronous invocation, under the right of Secrets Manager."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from ministack import app
from ministack.services import lambda_svc

from local.account import invoke_rights

logger = logging.getLogger("rekey.rotation")


def invoke(function_arn: str, secret_arn: str, event: dict[str, str]) -> bool:
    """Whether the function came to its end without an error.

    It goes through the Invoke operation, so that log, metrics, concurrency and versions are those
    of any other invocation. Blocks; not for the server's own thread.
    """
    if not invoke_rights.service_may_invoke(function_arn, secret_arn):
        logger.warning("%s does not let Secrets Manager invoke it", function_arn)
        return False
    status, headers, body = _invocation(function_arn, event)
    failed = status >= HTTPStatus.BAD_REQUEST or "X-Amz-Function-Error" in headers
    if failed:
        logger.warning("%s of %s: %s", event["Step"], secret_arn, _error_type(body))
    return not failed


def _invocation(function_arn: str, event: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    answer: tuple[int, dict[str, str], bytes] = app.call_service_handler_sync(
        lambda_svc.handle_request,
        "POST",
        f"/2015-03-31/functions/{quote(function_arn, safe='')}/invocations",
        {"x-amz-invocation-type": "RequestResponse", "content-type": "application/json"},
        json.dumps(event).encode(),
        {},
    )
    return answer


def _error_type(body: bytes) -> Any:
    """Only the class of the error: its text may hold anything."""
    content = json.loads(body)
    return content.get("errorType", content.get("__type")) if isinstance(content, dict) else None
