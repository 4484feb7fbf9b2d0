"""Two passwords for one user, and back to one. Both under the user's lock on the server."""

from dataclasses import dataclass

from rekey.credential import Credential
from rekey.errors import LabelMoved, UnsupportedStrategy
from rekey.model import Label, Outcome, SecretVersion, StepResult, Strategy
from rekey.ports import Connection, OnePassword, TwoPasswords
from rekey.rotation.context import ALREADY_CURRENT, Rotation
from rekey.rotation.guards import check_intent, check_pending, is_current
from rekey.rotation.logins import Logins
from rekey.rotation.overtaken import check_not_overtaken
from rekey.rotation.superuser import connect_superuser


@dataclass(frozen=True)
class Change:
    """What setSecret is to do: from which credential to which, as the versions say."""

    rotation: Rotation
    logins: Logins
    current: SecretVersion
    pending: SecretVersion
    old: Credential
    new: Credential

    @property
    def all_hosts(self) -> bool:
        """Whether every account of the user's name is meant."""
        return Label.ALL_HOSTS in self.pending.labels

    @property
    def retires_first(self) -> bool:
        """Whether the user may have two passwords that the strategy does not know of."""
        return Label.RETIRE_FIRST in self.pending.labels


def add_password(change: Change) -> StepResult:
    """Let the superuser give the user the pending password besides the current one.

    AWSCURRENT has to log in first, as with alternating users (see set_secret). If it does not,
    nothing tells whether another password is in use, and a person has to say which one counts.
    """
    user = change.new.username
    change.logins.connect(change.old).close()
    wanted = TwoPasswords(user, change.old.password, change.new.password, change.all_hosts)
    with (
        connect_superuser(change.rotation, change.logins, change.old) as superuser,
        superuser.alone(user),
    ):
        if _is_over(change):
            return ALREADY_CURRENT
        superuser.set_two_passwords(wanted)
        _check_not_overtaken(change, superuser)
        let_in_again(change)  # Under the lock: nobody of ours retires the password meanwhile.
    return StepResult(
        Outcome.DONE,
        "The user has the current and the new password. Any password from before them has "
        "stopped working.",
        Strategy.DUAL_PASSWORD,
    )


def let_in_again(change: Change) -> None:
    """Log in with AWSCURRENT after a change of its user's passwords.

    MySQL lets clients without TLS in by its cache alone (caching_sha2_password), and the change
    has emptied that. Until somebody gives the password over TLS, as is done here, they are refused.
    Whether the server does so is not worth a question: elsewhere it proves that AWSCURRENT serves.
    """
    change.logins.connect(change.old).close()


def check_way_back(change: Change) -> None:
    """Check, before the first login, that a superuser is named if back_to_one will need one."""
    if change.retires_first and change.old.superuser_arn is None:
        raise UnsupportedStrategy(
            "The user may still have two passwords from the strategy dual-password, and only a "
            'superuser can retire one. Keep the key "masterarn" in the secret until a rotation '
            "has ended; the tag rekey:strategy says which strategy that rotation has."
        )


def back_to_one(change: Change) -> None:
    """Retire every password but AWSCURRENT's, if the strategy was dual-password before.

    The new strategy would leave the second password as it is, and nothing would retire it later.
    AWSCURRENT must have logged in.
    """
    if not change.retires_first:
        return
    user = change.old.username
    with (
        connect_superuser(change.rotation, change.logins, change.old) as superuser,
        superuser.alone(user),
    ):
        if not _is_over(change):
            superuser.retire(OnePassword(user, change.old.password, change.all_hosts))
            _check_not_overtaken(change, superuser)


def _is_over(change: Change) -> bool:
    """Prove by the labels, now that nobody else can change the user, that the change is right.

    Whoever had the lock before may have promoted the version, or retired a password since
    AWSCURRENT was read. Raises GuardError.
    """
    token = change.rotation.token
    metadata = change.rotation.store.describe(change.rotation.arn)
    if is_current(metadata, token):
        return True
    check_pending(metadata, token)
    check_intent(metadata.labels[token])
    if metadata.holder(Label.CURRENT) != change.current.version_id:
        raise LabelMoved("AWSCURRENT has just moved. Secrets Manager repeats the rotation.")
    return False


def _check_not_overtaken(change: Change, superuser: Connection) -> None:
    """Raise LabelMoved if AWSCURRENT has moved since ``_is_over`` looked; it logs in then."""
    expected = (change.current.version_id, change.rotation.token)
    check_not_overtaken(
        change.rotation, superuser, change.current, expected, all_hosts=change.all_hosts
    )
