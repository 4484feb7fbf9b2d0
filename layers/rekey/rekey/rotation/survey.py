"""survey: tell which passwords of a secret still work. Changes nothing."""

from rekey.credential import Credential
from rekey.errors import LoginError, RekeyError
from rekey.model import Label, Outcome, SecretMetadata, StepResult
from rekey.rotation.context import Rotation

ASKED = (Label.CURRENT, Label.PREVIOUS, Label.PENDING, Label.INTENT)


def survey(rotation: Rotation) -> StepResult:
    """Log in once with each labelled version, refused ones included.

    The facts: ids of versions whose password works, and of those nobody knows it of. An account
    whose login is refused is not tried with a third password.
    """
    metadata = rotation.store.describe(rotation.arn)
    works, unknown, refused = list[str](), list[str](), list[str]()
    for version_id in _versions(metadata):
        heap = works if (said := _logs_in(rotation, version_id, refused)) else unknown
        if said is not False:
            heap.append(version_id)
    reason = f"{len(works)} of the labelled versions log in, {len(unknown)} could not be tried."
    facts = {"works": " ".join(works), "unknown": " ".join(unknown)}
    return StepResult(Outcome.DONE, reason, facts=facts)


def _versions(metadata: SecretMetadata) -> list[str]:
    held = (metadata.holder(label) for label in ASKED)
    return list(dict.fromkeys(version for version in held if version is not None))


def _logs_in(rotation: Rotation, version_id: str, refused: list[str]) -> bool | None:
    """Tell whether the version's password works; None if that cannot be told."""
    try:
        version = rotation.store.get_version(rotation.arn, version_id)
        if version is None:
            return False
        credential = rotation.credential(version)
        return None if credential.username in refused else _try(rotation, credential, refused)
    except RekeyError:
        return None


def _try(rotation: Rotation, credential: Credential, refused: list[str]) -> bool:
    try:
        rotation.engine.connect(credential, rotation.deadline).close()
    except LoginError:
        refused.append(credential.username)
        return False
    return True
