"""clear: take AWSPENDING off a version, so that the next rotation starts anew."""

from rekey.model import Label, Outcome, StepResult
from rekey.rotation.context import Rotation


def clear(rotation: Rotation) -> StepResult:
    """Take the label off this version and no other. Its value stays under REKEY_INTENT."""
    metadata = rotation.store.describe(rotation.arn)
    if metadata.holder(Label.PENDING) != rotation.token:
        return StepResult(Outcome.NOTHING_TO_DO, "The version does not have AWSPENDING any more.")
    rotation.store.move_label(rotation.arn, Label.PENDING, to=None, removed_from=rotation.token)
    return StepResult(Outcome.DONE, "AWSPENDING is off the version.")
