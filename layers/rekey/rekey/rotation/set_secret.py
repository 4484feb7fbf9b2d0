"""setSecret: make the server accept the pending credential."""

from rekey.credential import Credential
from rekey.errors import (
    CredentialsRejected,
    MissingPrivilege,
    UnsupportedStrategy,
)
from rekey.model import Label, Outcome, StepResult, Strategy
from rekey.ports import PeerChange
from rekey.rotation.context import ALREADY_CURRENT, Rotation
from rekey.rotation.give_up import give_up
from rekey.rotation.guards import check_intent, same_target
from rekey.rotation.logins import Logins
from rekey.rotation.pending import read_pending
from rekey.rotation.strategy import alternating_users
from rekey.rotation.superuser import connect_superuser


def set_secret(rotation: Rotation) -> StepResult:
    """Change the server, by the strategy that createSecret chose."""
    pending = read_pending(rotation)
    if pending is None:
        return ALREADY_CURRENT
    check_intent(pending.labels)
    current = rotation.store.get_labelled(rotation.arn, Label.CURRENT)
    if current.version_id == rotation.token:
        return ALREADY_CURRENT
    old, new = rotation.credential(current), rotation.credential(pending)
    if not same_target(old, new, pending.strategy, rotation.engine):
        raise give_up(rotation, current)
    logins = rotation.logins(pending)
    match pending.strategy:
        case Strategy.SINGLE_USER:
            return _set_own_password(rotation, logins, old, new)
        case Strategy.ALTERNATING_USERS:
            return _provide_peer(rotation, logins, old, new)
        case Strategy.DUAL_PASSWORD | None:
            raise UnsupportedStrategy("This engine cannot carry out the strategy.")


def _set_own_password(
    rotation: Rotation, logins: Logins, old: Credential, new: Credential
) -> StepResult:
    """Let the user change its own password."""
    if _changed(rotation, logins, old, new):
        return StepResult(Outcome.DONE, "The user has the new password.", Strategy.SINGLE_USER)
    # AWSCURRENT is refused: an earlier attempt changed the password, or somebody else did.
    logins.connect(new).close()
    return StepResult(
        Outcome.NOTHING_TO_DO, "The user has the new password already.", Strategy.SINGLE_USER
    )


def _changed(rotation: Rotation, logins: Logins, old: Credential, new: Credential) -> bool:
    """Log in with AWSCURRENT and change the password; False if AWSCURRENT is refused.

    A server may let nobody change a password but administrators (on Amazon RDS:
    rds.restrict_password_commands). If the secret names a superuser, that one does it.
    """
    if logins.refusals():
        return False  # It was refused in an earlier attempt: do not try it a second time.
    try:
        connection = logins.connect(old)
    except CredentialsRejected:
        return False
    try:
        with connection:
            connection.set_password(new.username, new.password)
    except MissingPrivilege:
        if old.superuser_arn is None:
            raise
        with connect_superuser(rotation, logins, old) as superuser:
            superuser.set_password(new.username, new.password)
    return True


def _provide_peer(
    rotation: Rotation, logins: Logins, old: Credential, new: Credential
) -> StepResult:
    """Let the superuser prepare the other one of two alternating users.

    AWSCURRENT has to log in first. It proves that whoever wrote the secret owns the account;
    otherwise the superuser could be made to change somebody else's (a confused deputy).
    """
    users = alternating_users(old.username, rotation.engine)
    logins.connect(old).close()
    change = PeerChange(users.base, users.clone, new.username, new.password)
    with connect_superuser(rotation, logins, old) as connection:
        connection.provide_peer(change)
    return StepResult(
        Outcome.DONE,
        "The peer has the new password and the rights of the base user.",
        Strategy.ALTERNATING_USERS,
    )
