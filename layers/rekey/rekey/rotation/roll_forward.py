"""rollForward: finish with the pending version, or with the one that an interruption left."""

from rekey.errors import CredentialMismatch, VersionUnknown
from rekey.model import Label, Outcome, SecretMetadata, SecretVersion, StepResult, Strategy
from rekey.rotation.context import ALREADY_CURRENT, Rotation
from rekey.rotation.finish_secret import promote
from rekey.rotation.guards import check_intent, check_not_rejected, is_current, same_target
from rekey.rotation.identity import check_login
from rekey.rotation.pending import wait_for_value


def roll_forward(rotation: Rotation) -> StepResult:
    """Promote the version once it has logged in. Whether rotation is enabled does not matter.

    A retry of Secrets Manager may do the same meanwhile: AWSCURRENT moves by compare-and-swap.
    """
    metadata = rotation.store.describe(rotation.arn)
    if is_current(metadata, rotation.token):
        _take_pending_off(rotation)
        return ALREADY_CURRENT
    version = _promotable(rotation, metadata)
    current = rotation.store.get_labelled(rotation.arn, Label.CURRENT)
    old, new = rotation.credential(current), rotation.credential(version)
    if not same_target(old, new, version.strategy, rotation.engine):
        raise CredentialMismatch(
            f"The version {rotation.token} is for another server or user than the one that "
            "follows AWSCURRENT. Nothing was changed."
        )
    strategy = version.strategy or Strategy.SINGLE_USER
    check_login(rotation, rotation.logins(version).connect, new, strategy)
    promote(rotation, metadata)
    _take_pending_off(rotation)
    return StepResult(Outcome.DONE, "AWSCURRENT is the new version, which logs in.", strategy)


def _promotable(rotation: Rotation, metadata: SecretMetadata) -> SecretVersion:
    """Read the version that createSecret wrote and no roll back has ruled out."""
    labels = metadata.labels.get(rotation.token)
    if labels is None:
        raise VersionUnknown("The version has no label any more. Start recover again.")
    check_not_rejected(labels)
    check_intent(labels)
    version = rotation.store.get_version(rotation.arn, rotation.token, Label.INTENT)
    return version or wait_for_value(rotation, rotation.token, Label.INTENT)


def _take_pending_off(rotation: Rotation) -> None:
    """Do what Secrets Manager does at the end of a rotation that it drives itself."""
    labels = rotation.store.describe(rotation.arn).labels.get(rotation.token, frozenset())
    if Label.PENDING in labels:
        rotation.store.move_label(rotation.arn, Label.PENDING, to=None, removed_from=rotation.token)
