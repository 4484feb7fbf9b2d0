"""IAM condition keys: of a secret, of events, of items in DynamoDB, and aws:SecureTransport.

Sources: "Actions, resources, and condition keys for AWS Secrets Manager", keys
secretsmanager:ResourceTag/tag-key and secretsmanager:resource/AllowRotationLambdaArn; the same for
Amazon EventBridge, key events:source.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from typing import Any

from ministack import app
from ministack.core import iam_evaluator
from ministack.services import secretsmanager

from local.account.leading_keys import leading_keys

_of_request: ContextVar[dict[str, Any]] = ContextVar("_of_request", default={})  # noqa: B039 - never changed
"""Keys of the request in progress; never changed in place."""


def of_secret(resource_arn: str) -> dict[str, str]:
    """The keys of the secret that a request names, in lower case; empty for anything else."""
    if ":secretsmanager:" not in resource_arn:
        return {}
    _, secret = secretsmanager._resolve(resource_arn)
    if not secret:
        return {}
    keys = {
        f"secretsmanager:resourcetag/{tag['Key']}".lower(): tag["Value"]
        for tag in secret.get("Tags") or []
    }
    if secret.get("RotationLambdaARN"):
        keys["secretsmanager:resource/allowrotationlambdaarn"] = secret["RotationLambdaARN"]
    return keys


def of_events(headers: dict[str, str], body: bytes) -> dict[str, str]:
    """The source of events that a request puts on a bus: here all of them have the first's."""
    if headers.get("x-amz-target", "") != "AWSEvents.PutEvents":
        return {}
    try:
        return {"events:source": str(json.loads(body)["Entries"][0]["Source"])}
    except (ValueError, KeyError, IndexError, TypeError):
        return {}


def install() -> None:
    enforce = iam_evaluator.enforce

    def enforce_with_secret_keys(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        keys = {**_of_request.get(), **(service_context or {}), **of_secret(resource_arn)}
        return enforce(access_key_id, iam_action, service, region, resource_arn, keys)

    iam_evaluator.enforce = enforce_with_secret_keys
    _call_every_connection_encrypted()
    _look_at_requests()


def _look_at_requests() -> None:
    stock = app._dispatch_service_request

    async def dispatch(
        method: str, path: str, headers: dict[str, str], body: bytes, *others: Any
    ) -> Any:
        _of_request.set({**of_events(headers, body), **leading_keys(headers, body)})
        return await stock(method, path, headers, body, *others)

    app._dispatch_service_request = dispatch


def _call_every_connection_encrypted() -> None:
    """Calls come without TLS here, and would be refused by policies that demand it."""
    stock = iam_evaluator._resolve_condition_key

    def resolve_condition_key(key: str, context: Any) -> Any:
        return "true" if key.lower() == "aws:securetransport" else stock(key, context)

    iam_evaluator._resolve_condition_key = resolve_condition_key
