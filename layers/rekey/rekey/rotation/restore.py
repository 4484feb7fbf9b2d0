"""restore: the superuser sets the password that AWSCURRENT holds.

Whoever may write a secret could have the superuser set a foreign account's password (a confused
deputy). So nothing of the secret itself counts as leave, but only a tag of the superuser's secret,
which names the user and the secret, or the word of a person.
"""

from rekey.credential import Credential
from rekey.errors import LabelMoved, RestoreNotAllowed
from rekey.model import Label, Outcome, SecretMetadata, StepResult
from rekey.ports import SecretStore
from rekey.rotation.context import Rotation
from rekey.rotation.identity import check_login, strategy_of
from rekey.rotation.strategy import all_hosts
from rekey.rotation.superuser import connect_superuser

MAY_RESTORE_TAG = "rekey:may-restore"
RANDOM_SUFFIX = len("-AbCdEf")
"""What Secrets Manager appends to a secret's name in its ARN."""


def restore(rotation: Rotation) -> StepResult:
    """Set the password, then log in with it. No other password of the user works afterwards."""
    metadata = rotation.store.describe(rotation.arn)
    current = rotation.store.get_labelled(rotation.arn, Label.CURRENT)
    if current.version_id != rotation.token:
        raise LabelMoved("AWSCURRENT is another version by now. Nothing was changed.")
    credential = rotation.credential(current)
    if not rotation.request.circumstances.by_person:
        _check_leave(rotation, credential)
    every, logins = all_hosts(metadata.tags), rotation.logins(current)
    with connect_superuser(rotation, logins, credential) as superuser:
        stop_rotation(rotation, metadata)
        superuser.set_password(credential.username, credential.password, all_hosts=every)
    strategy = strategy_of(rotation, metadata, current, credential)
    # What was refused before was another password; otherwise this login would not be tried.
    logins.forget()
    check_login(rotation, logins.connect, credential, strategy)
    return StepResult(
        Outcome.DONE,
        f"The superuser has set the password of {credential.username} on {credential.host} to "
        "what AWSCURRENT holds.",
        strategy,
        {"currentVersionId": current.version_id},
    )


def stop_rotation(rotation: Rotation, metadata: SecretMetadata) -> None:
    """Take AWSPENDING off whichever version has it: from here on, every guard fails."""
    holder = metadata.holder(Label.PENDING)
    if holder is not None:
        rotation.store.move_label(rotation.arn, Label.PENDING, to=None, removed_from=holder)


def may_restore(store: SecretStore, secret_arn: str, credential: Credential) -> bool:
    """Tell whether the superuser's secret names this user of this secret."""
    if credential.superuser_arn is None:
        return False
    tags = store.describe(credential.superuser_arn).tags
    return leave(secret_arn, credential.username) in tags.get(MAY_RESTORE_TAG, "").split()


def leave(secret_arn: str, username: str) -> str:
    """Return what the tag has to hold among other things: ``user@secret``.

    A user name alone would not do: whoever may write another secret of the same superuser could
    put that name into it.
    """
    name = secret_arn.partition(":secret:")[2]
    return f"{username}@{name[:-RANDOM_SUFFIX]}"


def _check_leave(rotation: Rotation, credential: Credential) -> None:
    if not may_restore(rotation.store, rotation.arn, credential):
        raise RestoreNotAllowed(
            f"The tag {MAY_RESTORE_TAG} of the superuser's secret does not hold "
            f"{leave(rotation.arn, credential.username)}. Add it, or start recover with "
            '"action": "restore".'
        )
