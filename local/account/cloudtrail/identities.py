"""The element userIdentity. Source: CloudTrail user guide, "CloudTrail userIdentity element"."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam

Identity = dict[str, Any]


def identity_of(access_key: str) -> Identity | None:
    """None for a key that nobody has: such a caller is nobody's, and no trail shows it."""
    caller = iam_evaluator.resolve_caller_identity(access_key or "test")
    if caller is None:
        return None
    arn = caller["userArn"]
    if ":assumed-role/" in arn:
        return _assumed_role(caller)
    if ":user/" in arn:
        return {**_principal("IAMUser", caller), "userName": arn.rpartition("/")[2]}
    return _principal("FederatedUser" if ":federated-user/" in arn else "Root", caller)


def _principal(kind: str, caller: dict[str, Any]) -> Identity:
    return {
        "type": kind,
        "principalId": caller["userId"],
        "arn": caller["userArn"],
        "accountId": caller["accountId"],
        "accessKeyId": caller["accessKey"],
    }


def _assumed_role(caller: dict[str, Any]) -> Identity:
    _, role_name, session_name = caller["userArn"].rsplit("/", 2)
    account = caller["accountId"]
    role = iam._roles.get_scoped(account, None, role_name) or {}
    role_id = role.get("RoleId", role_name)
    return {
        **_principal("AssumedRole", caller),
        "principalId": f"{role_id}:{session_name}",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role_id,
                "arn": role.get("Arn", f"arn:aws:iam::{account}:role/{role_name}"),
                "accountId": account,
                "userName": role_name,
            },
            "attributes": {
                "creationDate": _time(caller["session"].get("IssuedAt", 0)),
                "mfaAuthenticated": "false",
            },
        },
    }


def _time(epoch_seconds: float) -> str:
    return datetime.fromtimestamp(epoch_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
