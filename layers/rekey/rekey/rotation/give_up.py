"""Give a rotation up that can never end right, so that the next one starts anew."""

from rekey.errors import CredentialMismatch, LabelMoved, RekeyError
from rekey.model import Label, SecretVersion
from rekey.rotation.context import Rotation


def give_up(rotation: Rotation, current: SecretVersion) -> RekeyError:
    """Take AWSPENDING off a version that does not follow ``current``; the error to raise.

    AWSCURRENT has moved since createSecret wrote the version. As long as AWSPENDING stood there,
    RotateSecret would go on with this rotation. The value stays under REKEY_INTENT.
    """
    holder = rotation.store.describe(rotation.arn).holder(Label.CURRENT)
    if holder != current.version_id:
        return LabelMoved("AWSCURRENT has just moved. Secrets Manager repeats the rotation.")
    rotation.store.move_label(rotation.arn, Label.PENDING, to=None, removed_from=rotation.token)
    return CredentialMismatch(
        "AWSPENDING is for another server or user than the one that follows AWSCURRENT. This step "
        "changed nothing on the server, and the rotation is given up. Start a new one."
    )
