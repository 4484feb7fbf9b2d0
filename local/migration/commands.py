"""The commands that a report tells people to run. They are printed, never run."""

import shlex

from local.migration.observation import Secret, Stack
from rekey.ports import Engine

NOT_DEPLOYED = "FUNCTION_ARN"
"""Stands for the function's ARN as long as there is none."""

RULES = "AutomaticallyAfterDays=30"
"""For a secret that has no schedule; AWS's console proposes the same."""


def switch(secret: Secret, stack: Stack, engine: Engine) -> str:
    """Give the secret to Rekey. Secrets Manager only runs testSecret then."""
    function = stack.functions.get(engine.name, NOT_DEPLOYED)
    rules = () if secret.has_schedule else ("--rotation-rules", RULES)
    return _rotate(secret, "--rotation-lambda-arn", function, "--no-rotate-immediately", *rules)


def back(secret: Secret) -> str:
    """Give the secret back to the function that it has now."""
    return _rotate(secret, "--rotation-lambda-arn", secret.function.arn, "--no-rotate-immediately")


def rotate(secret: Secret) -> str:
    """Rotate with the function that it has."""
    return _rotate(secret)


def take_pending_off(secret: Secret, version: str) -> str:
    """Start a stuck rotation anew."""
    return _secrets_manager(
        "update-secret-version-stage",
        *("--secret-id", secret.metadata.arn),
        *("--version-stage", "AWSPENDING"),
        *("--remove-from-version-id", version),
    )


def tag_superuser(arn: str) -> str:
    """Let Rekey read a superuser secret."""
    return _secrets_manager(
        "tag-resource", "--secret-id", arn, "--tags", "Key=rekey:superuser,Value=true"
    )


def _rotate(secret: Secret, *options: str) -> str:
    return _secrets_manager("rotate-secret", "--secret-id", secret.metadata.arn, *options)


def _secrets_manager(*words: str) -> str:
    return shlex.join(("aws", "secretsmanager", *words))
