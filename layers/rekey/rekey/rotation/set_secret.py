"""setSecret: make the server accept the pending credential."""

from rekey.errors import CredentialsRejected, MissingPrivilege, UnsupportedStrategy
from rekey.model import Label, Outcome, StepResult, Strategy
from rekey.ports import Connection, PeerChange
from rekey.rotation.context import ALREADY_CURRENT, Rotation
from rekey.rotation.dual_password import (
    Change,
    add_password,
    back_to_one,
    check_way_back,
    let_in_again,
)
from rekey.rotation.give_up import give_up
from rekey.rotation.guards import check_intent, same_target
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
    change = Change(rotation, rotation.logins(pending), current, pending, old, new)
    check_way_back(change)
    match pending.strategy:
        case Strategy.SINGLE_USER:
            return _set_own_password(change)
        case Strategy.ALTERNATING_USERS:
            return _provide_peer(change)
        case Strategy.DUAL_PASSWORD:
            return add_password(change)
        case None:
            raise UnsupportedStrategy("No label tells the strategy. Start a new rotation.")


def _set_own_password(change: Change) -> StepResult:
    """Let the user change its own password."""
    if _changed(change):
        return StepResult(Outcome.DONE, "The user has the new password.", Strategy.SINGLE_USER)
    # AWSCURRENT is refused: an earlier attempt changed the password, or somebody else did.
    change.logins.connect(change.new).close()
    return StepResult(
        Outcome.NOTHING_TO_DO, "The user has the new password already.", Strategy.SINGLE_USER
    )


def _changed(change: Change) -> bool:
    """Log in with AWSCURRENT and change the password; False if AWSCURRENT is refused.

    A server may let nobody change a password but administrators (on Amazon RDS:
    rds.restrict_password_commands). If the secret names a superuser, that one does it.
    """
    if change.logins.refusals():
        return False  # It was refused in an earlier attempt: do not try it a second time.
    try:
        connection = change.logins.connect(change.old, first_of_two=True)
    except CredentialsRejected:
        return False
    with connection:
        back_to_one(change)
        try:
            _set_password(change, connection)
        except MissingPrivilege:
            if change.old.superuser_arn is None:
                raise
        else:
            return True
    with connect_superuser(change.rotation, change.logins, change.old) as superuser:
        _set_password(change, superuser)
    return True


def _set_password(change: Change, connection: Connection) -> None:
    new = change.new
    connection.set_password(new.username, new.password, all_hosts=change.all_hosts)


def _provide_peer(change: Change) -> StepResult:
    """Let the superuser prepare the other one of two alternating users.

    AWSCURRENT has to log in first. It proves that whoever wrote the secret owns the account;
    otherwise the superuser could be made to change somebody else's (a confused deputy).
    """
    users = alternating_users(change.old.username, change.rotation.engine)
    change.logins.connect(change.old).close()
    back_to_one(change)
    if change.retires_first:
        let_in_again(change)
    wanted = PeerChange(
        users.base, users.clone, change.new.username, change.new.password, change.all_hosts
    )
    with connect_superuser(change.rotation, change.logins, change.old) as connection:
        connection.provide_peer(wanted)
    return StepResult(
        Outcome.DONE,
        "The peer has the new password and the rights of the base user.",
        Strategy.ALTERNATING_USERS,
    )
