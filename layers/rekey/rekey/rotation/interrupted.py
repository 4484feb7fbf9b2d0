"""An earlier rotation that was cut off, and the password that it may have set.

REKEY_INTENT then stands on a version that is neither current nor previous. The server may have
that version's password or not. A new value takes the label away, and with it the only protection
against Secrets Manager deleting the version. So the label moves only if the password goes on, or
if it is certain that it is not needed.
"""

from rekey.credential import Credential
from rekey.errors import CredentialsRejected, InterruptedRotation, InvalidSecretValue
from rekey.model import Label, SecretMetadata, SecretVersion
from rekey.rotation.context import Rotation
from rekey.rotation.guards import same_server
from rekey.rotation.pending import wait_for_value


def password_to_go_on_with(
    rotation: Rotation, metadata: SecretMetadata, current: SecretVersion, username: str
) -> str | None:
    """Return the interrupted rotation's password for ``username``, or None for a new one.

    Going on with it is right whether the server has it or not. But if AWSCURRENT was written
    later, by hand or by another function, or if the value is for another user or server, then
    AWSCURRENT is asked: if it logs in, the interrupted password is not needed, and may be one
    that was ruled out on purpose. Raises InterruptedRotation if neither is of use.
    """
    interrupted = _interrupted(rotation, metadata)
    if interrupted is None:
        return None
    credential = rotation.credential(current)
    password = _fitting(rotation, interrupted, credential, username)
    if password is not None and current.created <= interrupted.created:
        return password
    if _logs_in(rotation, metadata, credential):
        return None
    if password is not None:
        return password
    raise InterruptedRotation(
        f"The server refuses AWSCURRENT, and the version {interrupted.version_id}, which an "
        "interrupted rotation left under REKEY_INTENT, is for another user or server. Find out "
        "which of them logs in, move AWSCURRENT to it, and rotate again."
    )


def _interrupted(rotation: Rotation, metadata: SecretMetadata) -> SecretVersion | None:
    holder = metadata.holder(Label.INTENT)
    if holder is None or holder == rotation.token:
        return None
    if {Label.CURRENT, Label.PREVIOUS, Label.REJECTED} & metadata.labels[holder]:
        return None
    version = rotation.store.get_version(rotation.arn, holder, Label.INTENT)
    return wait_for_value(rotation, holder, Label.INTENT) if version is None else version


def _fitting(
    rotation: Rotation, interrupted: SecretVersion, current: Credential, username: str
) -> str | None:
    try:
        earlier = Credential.parse(interrupted.value, what=Label.INTENT)
    except InvalidSecretValue:
        return None
    fits = earlier.username == username and same_server(earlier, current, rotation.engine)
    return earlier.password if fits else None


def _logs_in(rotation: Rotation, metadata: SecretMetadata, current: Credential) -> bool:
    pending = SecretVersion(rotation.token, metadata.labels[rotation.token], value="")
    logins = rotation.logins(pending)
    if logins.refusals():
        return False
    try:
        logins.connect(current, first_of_two=True).close()
    except CredentialsRejected:
        return False
    return True
