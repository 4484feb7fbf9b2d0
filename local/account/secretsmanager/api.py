"""Takes requests for Secrets Manager: checks them, runs the operation, words the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.core.router import extract_access_key_id
from ministack.services import secretsmanager

from local.account.secretsmanager import (
    constraints,
    errors,
    listing,
    records,
    rotation,
    store,
    versions,
)

Request = dict[str, Any]
Operation = Callable[[Request, str | None], dict[str, Any]]


def _plain(operation: Callable[[Request], dict[str, Any]]) -> Operation:
    """An operation to which it does not matter who calls."""
    return lambda request, _: operation(request)


OPERATIONS: dict[str, Operation] = {
    "CancelRotateSecret": _plain(rotation.cancel_rotate_secret),
    "CreateSecret": _plain(records.create_secret),
    "DeleteSecret": _plain(records.delete_secret),
    "DescribeSecret": _plain(records.describe_secret),
    "GetSecretValue": _plain(versions.get_secret_value),
    "ListSecretVersionIds": _plain(versions.list_secret_version_ids),
    "ListSecrets": _plain(listing.list_secrets),
    "PutSecretValue": _plain(versions.put_secret_value),
    "RestoreSecret": _plain(records.restore_secret),
    "RotateSecret": rotation.rotate_secret,
    "TagResource": _plain(records.tag_resource),
    "UntagResource": _plain(records.untag_resource),
    "UpdateSecret": _plain(versions.update_secret),
    "UpdateSecretVersionStage": _plain(versions.update_secret_version_stage),
}


def perform(action: str, request: Request, caller: str | None = None) -> errors.Answer:
    """One operation from the check of its request to its answer."""
    try:
        constraints.check(action, request)
        with store.transaction():
            return errors.success(OPERATIONS[action](request, caller))
    except errors.ServiceError as error:
        return errors.failure(error)
    except rotation.CallerDeniedError as denied:
        answer: errors.Answer = denied.answer
        return answer


def install() -> None:
    stock = secretsmanager.handle_request

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> errors.Answer:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        request = json.loads(body or b"{}")
        if action in OPERATIONS:
            return perform(action, request, extract_access_key_id(headers, query))
        try:
            constraints.check(action, request)
        except errors.ServiceError as error:
            return errors.failure(error)
        return errors.with_modelled_member(await stock(method, path, headers, body, query))

    secretsmanager.handle_request = handle_request
    # BatchGetSecretValue reads every secret through this one.
    secretsmanager._get_secret_value = lambda request: perform("GetSecretValue", request)
