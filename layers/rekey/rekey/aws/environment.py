"""The environment of a function, read once at cold start."""

import os

from rekey.errors import InvalidConfiguration
from rekey.model import Workflow
from rekey.passwords import PasswordRules


def password_rules() -> PasswordRules:
    """Return the rules in REKEY_PASSWORD_LENGTH and REKEY_EXCLUDE_CHARACTERS.

    Raises InvalidConfiguration.
    """
    default = PasswordRules()
    length = os.environ.get("REKEY_PASSWORD_LENGTH", str(default.length))
    return PasswordRules(
        _number("REKEY_PASSWORD_LENGTH", length, "PasswordLength"),
        os.environ.get("REKEY_EXCLUDE_CHARACTERS", default.excluded),
    )


def grace_seconds() -> int:
    """Return REKEY_RETIRE_GRACE_SECONDS. Raises InvalidConfiguration."""
    name = "REKEY_RETIRE_GRACE_SECONDS"
    return _number(name, os.environ.get(name, ""), "RetireGraceSeconds")


def state_machines() -> dict[Workflow, str]:
    """Return the ARNs of the deployed workflows. Raises InvalidConfiguration."""
    arns = {w: os.environ.get(f"REKEY_{w.upper()}_STATE_MACHINE_ARN", "") for w in Workflow}
    for workflow, arn in arns.items():
        if not arn:
            raise InvalidConfiguration(f"No ARN is set for the workflow {workflow}. Deploy again.")
    return arns


def _number(name: str, text: str, parameter: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise InvalidConfiguration(f"{name} must be a number ({parameter}).")
    return int(text)
