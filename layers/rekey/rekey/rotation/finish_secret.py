"""finishSecret: promote."""

from rekey.model import Label, Outcome, SecretMetadata, StepResult
from rekey.rotation.context import ALREADY_CURRENT, Rotation
from rekey.rotation.guards import check_intent, check_pending, is_current


def finish_secret(rotation: Rotation) -> StepResult:
    """Move AWSCURRENT to the pending version, and only from its present holder."""
    metadata = rotation.store.describe(rotation.arn)
    if is_current(metadata, rotation.token):
        return ALREADY_CURRENT
    check_pending(metadata, rotation.token)
    check_intent(metadata.labels[rotation.token])
    promote(rotation, metadata)
    return StepResult(
        Outcome.DONE,
        "AWSCURRENT is the new version.",
        metadata.strategy(rotation.token),
    )


def promote(rotation: Rotation, metadata: SecretMetadata) -> None:
    """Move AWSCURRENT to the version that the step is about.

    If the strategy has changed away from dual-password, setSecret has retired the second password,
    and the label that tells of it goes first: nothing that may fail comes after the promotion.
    """
    dual = metadata.holder(Label.DUAL_PASSWORD)
    if Label.RETIRE_FIRST in metadata.labels[rotation.token] and dual is not None:
        rotation.store.move_label(rotation.arn, Label.DUAL_PASSWORD, to=None, removed_from=dual)
    rotation.store.move_label(
        rotation.arn,
        Label.CURRENT,
        to=rotation.token,
        removed_from=metadata.holder(Label.CURRENT),
    )
