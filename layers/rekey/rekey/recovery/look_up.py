"""What the state machine ``recover`` has to know of a secret before it asks its rotation function.

Many people may read the history of a run, and the whole of what a state machine gets from a service
stands in it. So it gets no description, no tags and no labels: only what it needs.
"""

from collections.abc import Mapping
from typing import Any

from rekey.errors import InvalidEvent
from rekey.model import Label
from rekey.ports import RotationFunctions, SecretStore

NEVER = "never"


def look_up(
    store: SecretStore, functions: RotationFunctions, event: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the secret's ARN, who rotates it, and where AWSCURRENT stands; empty if nowhere.

    ``since`` is the date of the last rotation that succeeded: failures are counted from there.
    Raises SecretNotFound, SecretAccessDenied, SecretsManagerFailure, LambdaFailure, InvalidEvent.
    """
    secret_id = event.get("secretId")
    if not isinstance(secret_id, str) or not secret_id:
        raise InvalidEvent("secretId must be the ARN or the name of a secret.")
    metadata = store.describe(secret_id)
    function, rotated = metadata.rotation_function, metadata.rotated
    return {
        "secretId": metadata.arn,
        "functionArn": function or "",
        "ours": function is not None and functions.is_ours(function),
        "since": NEVER if rotated is None else rotated.isoformat(),
        "currentVersionId": metadata.holder(Label.CURRENT) or "",
    }
