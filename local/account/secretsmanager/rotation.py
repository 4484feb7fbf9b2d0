"""RotateSecret and CancelRotateSecret: the checks, the configuration, and the start."""

from __future__ import annotations

import uuid
from typing import Any

from local.account import invoke_rights
from local.account.secretsmanager import dates, engine, labels, schedule
from local.account.secretsmanager.errors import DeniedError, RequestError
from local.account.secretsmanager.labels import CURRENT, PENDING
from local.account.secretsmanager.store import Secret, changed, writable

Request = dict[str, Any]
UNFINISHED = "A previous rotation isn't complete. That rotation will be reattempted."


class CallerDeniedError(Exception):
    """Carries the whole answer, which IAM has worded."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        super().__init__("the caller may not invoke the rotation function")


def rotate_secret(request: Request, caller: str | None) -> dict[str, Any]:
    """Answers at once; `caller` is the access key, None for a call from inside the account.

    The same token again starts no second rotation. Nothing is stored if anything is refused.
    """
    secret, token = writable(request["SecretId"]), request["ClientRequestToken"]
    function = request.get("RotationLambdaARN") or secret.get("RotationLambdaARN")
    if not function:
        raise RequestError("No Lambda rotation function ARN is associated with this secret.")
    schedule.check(request.get("RotationRules") or {})
    _check_rights(secret, function, caller)
    answer = {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token}
    if token in secret["Versions"]:
        _take_up(secret, token)
        return answer
    if (pending := unfinished(secret)) is not None:
        _take_up(secret, pending)
        raise RequestError(UNFINISHED)
    _configure(secret, function, request.get("RotationRules"))
    engine.begin(secret, token, test=request.get("RotateImmediately") is False)
    changed(secret)
    return answer


def cancel_rotate_secret(request: Request) -> dict[str, Any]:
    """Turns the schedule off; the pending version stays as it is and has to be cleaned up."""
    secret = writable(request["SecretId"])
    if not secret.get("RotationLambdaARN"):
        raise RequestError("No Lambda rotation function ARN is associated with this secret.")
    secret["RotationEnabled"] = False
    version_id = engine.cancel(secret)
    changed(secret)
    answer = {"ARN": secret["ARN"], "Name": secret["Name"]}
    return {**answer, "VersionId": version_id} if version_id else answer


def rotate_on_schedule(secret: Secret) -> None:
    """A window has opened. A rotation that is not complete comes before a new one."""
    dates.was_due(secret)
    if (pending := unfinished(secret)) is not None:
        _take_up(secret, pending)
    else:
        engine.begin(secret, str(uuid.uuid4()), test=False)
        changed(secret)


def unfinished(secret: Secret) -> str | None:
    """The version that has AWSPENDING without being current."""
    pending = labels.holder(secret, PENDING)
    return None if pending == labels.holder(secret, CURRENT) else pending


def _take_up(secret: Secret, token: str) -> None:
    """Go on with the rotation of this version, if it is one that stands."""
    if secret.get("_Rotation", {}).get("Token") == token and unfinished(secret) == token:
        engine.resume(secret)


def _check_rights(secret: Secret, function: str, caller: str | None) -> None:
    denial = caller and invoke_rights.denial_for_caller(caller, function)
    if denial:
        raise CallerDeniedError(denial)
    if not invoke_rights.service_may_invoke(function, secret["ARN"]):
        raise DeniedError(
            "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function "
            "policy grants access to the principal secretsmanager.amazonaws.com."
        )


def _configure(secret: Secret, function: str, rules: Request | None) -> None:
    was_off = not secret.get("RotationEnabled")
    secret["RotationLambdaARN"] = function
    secret["RotationEnabled"] = True
    if rules:
        secret["RotationRules"] = dict(rules)
    if rules or was_off:
        dates.rules_changed(secret)
