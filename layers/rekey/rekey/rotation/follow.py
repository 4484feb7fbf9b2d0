"""follow: tell how a rotation stands that somebody waits for. Changes nothing."""

from rekey.model import Label, Outcome, StepResult
from rekey.rotation.context import Rotation
from rekey.rotation.verify import verify


def follow(rotation: Rotation) -> StepResult:
    """Tell whether the version has become AWSCURRENT; then let it log in.

    ROTATING while it has AWSPENDING. ENDED if it has neither: the rotation was given up, and
    whatever had to be put right has been by then, or waits for a person.
    """
    metadata = rotation.store.describe(rotation.arn)
    labels = metadata.labels.get(rotation.token, frozenset())
    if Label.CURRENT in labels:
        return verify(rotation)
    if Label.PENDING in labels:
        return StepResult(Outcome.ROTATING, "The version has AWSPENDING.")
    return StepResult(Outcome.ENDED, "The version has neither AWSCURRENT nor AWSPENDING.")
