"""Whether a recovery that has waited still has to start another rotation.

It has promised one, and much may have happened since: RotateSecret also switches rotation on again
that somebody has cancelled, and makes a second new password where somebody has rotated already.
"""

from collections.abc import Mapping
from typing import Any

from rekey.errors import InvalidEvent, SecretNotFound
from rekey.model import Label, SecretMetadata, is_halted
from rekey.ports import RotationFunctions, SecretStore


def look_again(
    store: SecretStore, functions: RotationFunctions, event: Mapping[str, Any]
) -> dict[str, Any]:
    """Return whether to rotate (``again``), and the reason if not.

    ``versionId`` is the version whose rotation failed, ``currentVersionId`` the one that the
    recovery has verified. Raises SecretAccessDenied, SecretsManagerFailure, LambdaFailure,
    InvalidEvent.
    """
    secret_id, verified = event.get("secretId"), event.get("currentVersionId")
    failed = event.get("versionId", "")  # A run that began before an upgrade does not tell it.
    if not isinstance(secret_id, str) or not isinstance(verified, str) or not secret_id:
        raise InvalidEvent("secretId and currentVersionId must be strings.")
    if not isinstance(failed, str):
        raise InvalidEvent("versionId must be a string.")
    try:
        metadata = store.describe(secret_id)
    except SecretNotFound:
        return _said("The secret does not exist any more.")
    return _said(_in_the_way(metadata, functions, failed, verified))


def _said(reason: str) -> dict[str, Any]:
    return {"again": not reason, "reason": reason}


def _in_the_way(
    metadata: SecretMetadata, functions: RotationFunctions, failed: str, verified: str
) -> str:
    function, pending = metadata.rotation_function, metadata.holder(Label.PENDING)
    if not metadata.rotation_enabled:
        return "Somebody has switched rotation off since."
    if function is None or not functions.is_ours(function):
        return "A function that is not Rekey's rotates the secret since."
    if is_halted(metadata.tags):
        return "The secret was halted since."
    if Label.REJECTED in metadata.labels.get(failed, frozenset()):
        return "The version whose rotation failed was rolled back since."
    if metadata.holder(Label.CURRENT) != verified:
        return "AWSCURRENT is another version since."
    if pending not in (None, verified):
        return "Another rotation has begun since."
    return ""
