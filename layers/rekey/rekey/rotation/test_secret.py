"""testSecret: log in with the pending credential."""

from rekey.model import Outcome, SecretVersion, StepResult, Strategy
from rekey.rotation.context import ALREADY_CURRENT, Rotation
from rekey.rotation.pending import read_pending
from rekey.rotation.strategy import all_hosts, alternating_users, choose_strategy
from rekey.rotation.superuser import connect_superuser


def test_secret(rotation: Rotation) -> StepResult:
    """Log in, and check whom the server takes the login for."""
    pending = read_pending(rotation)
    if pending is None:
        return ALREADY_CURRENT
    if pending.strategy is None:
        return _test_rotation(rotation, pending)
    new = rotation.credential(pending)
    acts_as = new.username
    if pending.strategy is Strategy.ALTERNATING_USERS:
        acts_as = alternating_users(new.username, rotation.engine).base
    with rotation.logins(pending).connect(new) as connection:
        connection.check_identity(new.username, acts_as)
    return StepResult(Outcome.DONE, "The new credential logs in.", pending.strategy)


def _test_rotation(rotation: Rotation, pending: SecretVersion) -> StepResult:
    """Try everything that a rotation will need, and change nothing.

    RotateSecret with RotateImmediately=false runs only this step, on a version that createSecret
    never wrote: it holds the current value.
    """
    logins = rotation.logins(pending)
    credential = rotation.credential(pending)
    tags = rotation.store.describe(rotation.arn).tags
    strategy, every = choose_strategy(tags, credential, rotation.engine), all_hosts(tags)
    with logins.connect(credential) as connection:
        if strategy is Strategy.SINGLE_USER:
            connection.check_own_password(all_hosts=every)
    if credential.superuser_arn is not None:
        with connect_superuser(rotation, logins, credential) as superuser:
            if strategy is Strategy.DUAL_PASSWORD:
                superuser.check_two_passwords(credential.username, all_hosts=every)
    return StepResult(Outcome.DONE, "All that a rotation needs logs in.")
