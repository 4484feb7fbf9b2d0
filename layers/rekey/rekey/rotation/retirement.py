"""Whether a second password is to be retired, by labels and tags alone.

The function that starts the workflow and the step that acts at its end ask the same question.
"""

from dataclasses import dataclass
from enum import Enum, auto, unique

from rekey.model import Label, SecretMetadata, Strategy

HOLD_TAG = "rekey:hold"


@unique
class When(Enum):
    """When the password before AWSCURRENT may stop working."""

    NOW = auto()
    AFTER_GRACE = auto()
    NEVER = auto()


@dataclass(frozen=True)
class Retirement:
    """When, and why: for the log and for a person.

    ``because_of`` is the version that gave the user its second password.
    """

    when: When
    reason: str
    because_of: str | None = None


def retirement(metadata: SecretMetadata, version_id: str) -> Retirement:
    """Tell what follows from the promotion of ``version_id``.

    A rotation made the promotion if the version carries what createSecret wrote. Labels that are
    put by hand on another version, or an AWSCURRENT written by hand, retire nothing. A roll back
    leaves AWSPREVIOUS on the version that it rejected. Its password goes at once: nobody should be
    using it.
    """
    holder = metadata.holder(Label.DUAL_PASSWORD)
    labels = metadata.labels.get(version_id, frozenset())
    if Label.CURRENT not in labels:
        return Retirement(When.NEVER, "The version is not AWSCURRENT: something newer counts.")
    if Label.REJECTED in labels:
        return Retirement(When.NEVER, "AWSCURRENT is rejected: a roll back is under way.")
    if metadata.strategy(version_id) is Strategy.DUAL_PASSWORD:
        reason = "A rotation has left the user with two passwords."
        return Retirement(When.AFTER_GRACE, reason, version_id)
    if holder is not None and {Label.REJECTED, Label.PREVIOUS} <= metadata.labels[holder]:
        reason = "The user may still have the password of a rejected version."
        return Retirement(When.NOW, reason, holder)
    return Retirement(When.NEVER, "No rotation with the strategy dual-password made the promotion.")


def held(metadata: SecretMetadata) -> str | None:
    """Return why nothing may be retired until a person says otherwise; None if it may."""
    if metadata.tags.get(HOLD_TAG, "false") != "false":
        return f"The tag {HOLD_TAG} is set. The old password still logs in."
    if not metadata.rotation_enabled:
        return "Rotation is not enabled for this secret. The old password still logs in."
    return None


def busy(metadata: SecretMetadata) -> str | None:
    """Return which rotation is under way: its new password must not be taken away."""
    holder = metadata.holder(Label.PENDING)
    if holder in (None, metadata.holder(Label.CURRENT)):
        return None
    return f"AWSPENDING stands on the version {holder}: a rotation is under way."
