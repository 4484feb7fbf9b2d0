"""createSecret: store the new value with AWSPENDING and REKEY_INTENT, and never a second one."""

from rekey.credential import Credential
from rekey.errors import InterruptedRotation, LabelMoved
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
from rekey.rotation.guards import START_ANEW, check_not_halted, check_pending, is_current
from rekey.rotation.interrupted import password_to_go_on_with
from rekey.rotation.strategy import all_hosts, alternating_users, choose_strategy


def create_secret(rotation: Rotation) -> StepResult:
    """Store the wanted value under the token.

    PutSecretValue is idempotent by token and refuses another value under the same token, so no
    read has to come before it.
    """
    metadata = rotation.store.describe(rotation.arn)
    if is_current(metadata, rotation.token):
        return ALREADY_CURRENT
    check_not_halted(metadata)
    check_pending(metadata, rotation.token)
    version = _current(rotation, metadata)
    current = rotation.credential(version)
    strategy = choose_strategy(metadata.tags, current, rotation.engine)
    username = _next_user(rotation, current, strategy)
    password = password_to_go_on_with(rotation, metadata, version, username)
    wanted = current.with_login(username, password or rotation.new_password())
    told = _what_later_steps_need(metadata, strategy)
    labels = {Label.PENDING, Label.INTENT, *told}
    if rotation.store.put_version(
        rotation.arn,
        SecretVersion(rotation.token, frozenset(labels), wanted.to_json()),
        rotation_token=rotation.request.rotation_token,
    ):
        return StepResult(Outcome.DONE, "The new value is stored.", strategy)
    if Label.INTENT not in metadata.labels[rotation.token]:
        _adopt(rotation, metadata, told, goes_on=password is not None)
    return StepResult(Outcome.NOTHING_TO_DO, "The version has a value already.", strategy)


def _current(rotation: Rotation, metadata: SecretMetadata) -> SecretVersion:
    """Read AWSCURRENT. Reads are eventually consistent: both must tell the same version."""
    current = rotation.store.get_labelled(rotation.arn, Label.CURRENT)
    if current.version_id != metadata.holder(Label.CURRENT):
        raise LabelMoved("AWSCURRENT has just moved. Secrets Manager repeats the rotation.")
    return current


def _next_user(rotation: Rotation, current: Credential, strategy: Strategy) -> str:
    if strategy is Strategy.ALTERNATING_USERS:
        users = alternating_users(current.username, rotation.engine)
        return users.peer(current.username)
    return current.username


def _what_later_steps_need(metadata: SecretMetadata, strategy: Strategy) -> list[Label]:
    """Return the labels that tell what only the tags and the labels of other versions say.

    Of all staging labels a secret may have 20; with these and all others of ours it has 14.
    """
    told = [STRATEGY_LABELS[strategy]]
    if all_hosts(metadata.tags):
        told.append(Label.ALL_HOSTS)
    if strategy is not Strategy.DUAL_PASSWORD and metadata.holder(Label.DUAL_PASSWORD):
        told.append(Label.RETIRE_FIRST)
    return told


def _adopt(
    rotation: Rotation, metadata: SecretMetadata, told: list[Label], *, goes_on: bool
) -> None:
    """Label a value that stands under this token without our labels.

    Another rotation function stored it, for example AWS's template before the secret was moved.
    REKEY_INTENT comes last: with it, the version counts as ours.
    """
    if goes_on:
        raise InterruptedRotation(
            f"The version {metadata.holder(Label.INTENT)} may hold the password that the server "
            f"has, and another function has stored a second one under this token. {START_ANEW}"
        )
    for label in (*told, Label.INTENT):
        holder = metadata.holder(label)
        rotation.store.move_label(rotation.arn, label, to=rotation.token, removed_from=holder)
