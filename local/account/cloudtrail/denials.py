"""The answer of a denial: its text names the resource, its header the request, as on AWS.

A policy is checked against a secret's full ARN, but the text repeats what the caller sent: a name,
or an ARN with or without its random ending. Actions without a resource (ListSecrets) name none.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from ministack.core import iam_actions

asked_secret: ContextVar[str | None] = ContextVar("asked_secret", default=None)
"""The secret as the request in progress names it."""


def text(action: str, principal: str, resource: str | None, *, explicit: bool) -> str:
    on_resource = f" on resource: {resource}" if resource else ""
    reason = (
        "with an explicit deny in an identity-based policy"
        if explicit
        else f"because no identity-based policy allows the {action} action"
    )
    return f"User: {principal} is not authorized to perform: {action}{on_resource} {reason}"


def _named(action: str, resource: str) -> str | None:
    if action.startswith("s3:") and resource != "*":
        return f'"{resource}"'
    if not action.startswith("secretsmanager:"):
        return resource
    return None if resource == "*" else asked_secret.get() or resource


def install() -> None:
    stock = iam_actions.access_denied_response

    def access_denied_response(
        service: str, action: str, principal_arn: str, request_id: str, **details: Any
    ) -> Any:
        by_identity = not details.get("error_code") and not details.get("resource_policy_arn")
        if by_identity and not details.get("message"):
            details["message"] = text(
                action,
                principal_arn,
                _named(action, details.get("resource_arn", "*")),
                explicit=bool(details.get("explicit_deny")),
            )
        status, headers, body = stock(service, action, principal_arn, request_id, **details)
        headers.setdefault("x-amzn-requestid", request_id)
        return 400 if service == "secretsmanager" else status, headers, body

    iam_actions.access_denied_response = access_denied_response
