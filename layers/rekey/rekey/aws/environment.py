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


def stale_seconds() -> int:
    """Return REKEY_RETIRE_STALE_SECONDS. Raises InvalidConfiguration."""
    name = "REKEY_RETIRE_STALE_SECONDS"
    return _number(name, os.environ.get(name, ""), "RetireStaleSeconds")


def state_machines(*workflows: Workflow) -> dict[Workflow, str]:
    """Return the ARNs of these workflows as deployed. Raises InvalidConfiguration."""
    return {each: _set(f"REKEY_{each.upper()}_STATE_MACHINE_ARN") for each in workflows}


def state_table() -> str:
    """Return REKEY_STATE_TABLE. Raises InvalidConfiguration."""
    return _set("REKEY_STATE_TABLE")


def alerts_topic_arn() -> str:
    """Return REKEY_ALERTS_TOPIC_ARN. Raises InvalidConfiguration."""
    return _set("REKEY_ALERTS_TOPIC_ARN")


def security_hub() -> bool:
    """Tell whether REKEY_SECURITY_HUB says that findings go there."""
    return os.environ.get("REKEY_SECURITY_HUB", "false") == "true"


def ocsf_events() -> bool:
    """Tell whether REKEY_OCSF_EVENTS says that findings are events in that format as well."""
    return os.environ.get("REKEY_OCSF_EVENTS", "false") == "true"


def asn_table() -> bool:
    """Tell whether REKEY_ASN_TABLE says that a layer has a table of autonomous systems."""
    return os.environ.get("REKEY_ASN_TABLE", "false") == "true"


def our_roles() -> frozenset[str]:
    """Return the ARNs in REKEY_OUR_ROLE_ARNS: whose work on secrets raises no alert."""
    return frozenset(filter(None, os.environ.get("REKEY_OUR_ROLE_ARNS", "").split(",")))


def learning_days() -> int:
    """Return REKEY_LEARNING_DAYS. Raises InvalidConfiguration."""
    name = "REKEY_LEARNING_DAYS"
    return _number(name, os.environ.get(name, "14"), "LearningDays")


def sweep_role() -> str:
    """Return REKEY_SWEEP_ROLE_ARN. Raises InvalidConfiguration."""
    return _set("REKEY_SWEEP_ROLE_ARN")


def _set(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise InvalidConfiguration(f"{name} is not set. Deploy again.")
    return value


def campaign_bucket() -> str:
    """Return REKEY_CAMPAIGN_BUCKET. Raises InvalidConfiguration."""
    return _set("REKEY_CAMPAIGN_BUCKET")


def _number(name: str, text: str, parameter: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise InvalidConfiguration(f"{name} must be a number ({parameter}).")
    return int(text)
