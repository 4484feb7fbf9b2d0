"""verify: prove that AWSCURRENT serves."""

from rekey.errors import LabelMoved
from rekey.model import Label, Outcome, StepResult, Strategy
from rekey.rotation.context import Rotation
from rekey.rotation.identity import check_login, strategy_of


def verify(rotation: Rotation) -> StepResult:
    """Log in with AWSCURRENT as an application does, and check its rights.

    Raises LabelMoved if AWSCURRENT is another version than the caller believes.
    """
    metadata = rotation.store.describe(rotation.arn)
    current = rotation.store.get_labelled(rotation.arn, Label.CURRENT)
    if current.version_id != rotation.token:
        raise LabelMoved("AWSCURRENT is another version by now. Somebody else has moved it.")
    credential = rotation.credential(current)
    strategy = strategy_of(rotation, metadata, current, credential)
    logins = rotation.logins(current)
    check_login(rotation, logins.connect, credential, strategy)
    if strategy is not Strategy.ALTERNATING_USERS:
        logins.forget()
    return StepResult(Outcome.DONE, "AWSCURRENT logs in with its rights.", strategy)
