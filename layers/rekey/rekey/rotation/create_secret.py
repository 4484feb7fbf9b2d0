"""createSecret: store the new value with AWSPENDING and REKEY_INTENT, and never a second one."""

from rekey.credential import Credential
from rekey.errors import InvalidSecretValue, LabelMoved
from rekey.model import (
    STRATEGY_LABELS,
    Label,
    Outcome,
    SecretMetadata,
    SecretVersion,
    StepResult,
    Strategy,
)
from rekey.rotation.context import ALREADY_CURRENT, Rotation
from rekey.rotation.guards import check_pending, is_current, same_server
from rekey.rotation.strategy import alternating_users, choose_strategy


def create_secret(rotation: Rotation) -> StepResult:
    """Store the wanted value under the token.

    PutSecretValue is idempotent by token and refuses another value under the same token, so no
    read has to come before it.
    """
    metadata = rotation.store.describe(rotation.arn)
    if is_current(metadata, rotation.token):
        return ALREADY_CURRENT
    check_pending(metadata, rotation.token)
    current = rotation.credential(_current(rotation, metadata))
    strategy = choose_strategy(metadata.tags, current, rotation.engine)
    labels = frozenset({Label.PENDING, Label.INTENT, STRATEGY_LABELS[strategy]})
    value = _wanted(rotation, metadata, current, strategy).to_json()
    version = SecretVersion(rotation.token, labels, value)
    if rotation.store.put_version(
        rotation.arn, version, rotation_token=rotation.request.rotation_token
    ):
        return StepResult(Outcome.DONE, "The new value is stored.", strategy)
    _adopt(rotation, metadata, strategy)
    return StepResult(Outcome.NOTHING_TO_DO, "The version has a value already.", strategy)


def _current(rotation: Rotation, metadata: SecretMetadata) -> SecretVersion:
    """Read AWSCURRENT. Reads are eventually consistent: the two must tell the same version."""
    current = rotation.store.get_labelled(rotation.arn, Label.CURRENT)
    if current.version_id != metadata.holder(Label.CURRENT):
        raise LabelMoved("AWSCURRENT has just moved. Secrets Manager repeats the rotation.")
    return current


def _wanted(
    rotation: Rotation, metadata: SecretMetadata, current: Credential, strategy: Strategy
) -> Credential:
    """Return the wanted value: an interrupted rotation's password, or a new one.

    After an interruption the server may or may not have that password. Going on with it is right
    in both cases; a second one could leave a live password in a version that is deleted.
    """
    username = current.username
    if strategy is Strategy.ALTERNATING_USERS:
        username = alternating_users(username, rotation.engine).peer(username)
    interrupted = _interrupted(rotation, metadata)
    if (
        interrupted is not None
        and interrupted.username == username
        and same_server(interrupted, current, rotation.engine)
    ):
        return current.with_login(username, interrupted.password)
    return current.with_login(username, rotation.new_password())


def _interrupted(rotation: Rotation, metadata: SecretMetadata) -> Credential | None:
    """Read what an earlier rotation meant to set, if it was cut off."""
    holder = metadata.holder(Label.INTENT)
    if holder is None or holder == rotation.token:
        return None
    if {Label.CURRENT, Label.PREVIOUS, Label.REJECTED} & metadata.labels[holder]:
        return None
    version = rotation.store.get_version(rotation.arn, holder)
    try:
        return None if version is None else Credential.parse(version.value, what=Label.INTENT)
    except InvalidSecretValue:
        return None


def _adopt(rotation: Rotation, metadata: SecretMetadata, strategy: Strategy) -> None:
    """Label a value that stands under this token without our labels.

    Another rotation function stored it, for example AWS's template before the secret was moved.
    REKEY_INTENT comes last: with it, the version counts as ours.
    """
    if Label.INTENT in metadata.labels[rotation.token]:
        return
    for label in (STRATEGY_LABELS[strategy], Label.INTENT):
        holder = metadata.holder(label)
        rotation.store.move_label(rotation.arn, label, to=rotation.token, removed_from=holder)
