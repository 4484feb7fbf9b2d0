"""The calls of aws-sdk integrations, signed by the role like anybody's."""

from __future__ import annotations

import re
from typing import Any

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import new_uuid
from ministack.services import stepfunctions

from local.account.cloudtrail import calls
from local.account.stepfunctions.sessions import access_key_of, running

SERVICE = "states.amazonaws.com"
_CREDENTIAL = re.compile(r"Credential=[^/]+/")
_NAMESPACE = re.compile(rb' xmlns="[^"]*"')


async def _front_door(
    method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
) -> calls.Answer:
    """The signature of the request that started the execution has nothing to do with this one."""
    iam_evaluator._signed_request.set(None)
    iam_evaluator._anonymous.set(False)
    calls.invoked_by.set(SERVICE)
    request = (method, path, headers, body, query, new_uuid())
    status, answered, content = await app._dispatch_service_request(*request)
    if status >= 400:  # noqa: PLR2004  # errors, which MiniStack finds in XML without namespace
        content = _NAMESPACE.sub(b"", content)
    return status, answered, content


def _install_front_door() -> None:
    stock = app.call_service_handler_sync

    def call(handler: Any, *request: Any, timeout: float | None = None) -> Any:
        execution = running.get()
        if not execution:
            return stock(handler, *request, timeout=timeout)
        method, path, headers, body, query = request
        as_role = f"Credential={access_key_of(execution)}/"
        signed = {**headers, "authorization": _CREDENTIAL.sub(as_role, headers["authorization"])}
        sent = body.encode() if isinstance(body, str) else body
        return stock(_front_door, method, path, signed, sent, query, timeout=timeout)

    app.call_service_handler_sync = call


def _install_error_names() -> None:
    """An error that the service's model does not name is `<Service>.<Service>Exception`.

    Such is the class that AWS's SDK for Java, which Step Functions uses, has for it.
    """
    stock = stepfunctions._prefix_sdk_error

    def error_name(service: str, code: str) -> str:
        prefix = stepfunctions._AWS_SDK_ERROR_PREFIX.get(service, service.capitalize())
        if code in {"AccessDenied", "AccessDeniedException"} and not _models_denials(service):
            return f"{prefix}.{prefix}Exception"
        return str(stock(service, code))

    stepfunctions._prefix_sdk_error = error_name


def _models_denials(service: str) -> bool:
    entry = stepfunctions._AWS_SDK_SERVICE_MAP.get(service, {})
    model = stepfunctions._service_model(entry.get("service_key", service))
    return model is not None and "AccessDeniedException" in model.shape_names


def install() -> None:
    _install_front_door()
    _install_error_names()
