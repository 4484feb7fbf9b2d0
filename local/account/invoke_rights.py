"""Who may have a rotation function run: Secrets Manager itself, and whoever calls RotateSecret."""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import lambda_svc

SERVICE = "secretsmanager.amazonaws.com"


def service_may_invoke(function_arn: str, secret_arn: str) -> bool:
    """Whether the function's own policy lets Secrets Manager invoke it for this secret."""
    found = lambda_svc.function_policy_for_arn(function_arn)
    if found is None:
        return False
    context = iam_evaluator.EvalContext(
        principal_arn=SERVICE,
        principal_type="Service",
        principal_account=get_account_id(),
        action="lambda:InvokeFunction",
        resource_arn=function_arn,
        region=get_region(),
        service_context={"aws:sourceaccount": get_account_id(), "aws:sourcearn": secret_arn},
    )
    result = iam_evaluator.evaluate_resource_policy(found[0], context, service=SERVICE)
    return bool(result.decision == "Allow")


def denial_for_caller(access_key: str, function_arn: str) -> Any | None:
    """The answer for a caller of RotateSecret without lambda:InvokeFunction, None if it has it.

    Source: API reference of RotateSecret, "You also need lambda:InvokeFunction permissions on
    the rotation function".
    """
    action = "lambda:InvokeFunction"
    denied = iam_evaluator.enforce(
        access_key, action, "lambda", get_region(), resource_arn=function_arn
    )
    if not denied:
        return None
    return iam_actions.access_denied_response(
        "secretsmanager",
        action,
        getattr(denied, "principal_arn", ""),
        new_uuid(),
        resource_arn=function_arn,
        explicit_deny=getattr(denied, "decision", "") == "Deny",
    )
