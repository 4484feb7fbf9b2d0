"""IAM condition keys of Secrets Manager that describe the secret itself.

Source: "Actions, resources, and condition keys for AWS Secrets Manager", keys
secretsmanager:ResourceTag/tag-key and secretsmanager:resource/AllowRotationLambdaArn.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_evaluator
from ministack.services import secretsmanager


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
        keys = {**(service_context or {}), **of_secret(resource_arn)}
        return enforce(access_key_id, iam_action, service, region, resource_arn, keys)

    iam_evaluator.enforce = enforce_with_secret_keys
