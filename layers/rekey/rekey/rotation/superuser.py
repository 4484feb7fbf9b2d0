"""Log in as the superuser that a secret names."""

from dataclasses import replace

from rekey.credential import Credential
from rekey.errors import CredentialsRejected, SuperuserRejected, UnsupportedStrategy
from rekey.ports import Connection
from rekey.rotation.context import Rotation
from rekey.rotation.guards import check_superuser
from rekey.rotation.logins import Account, Logins


def connect_superuser(rotation: Rotation, logins: Logins, current: Credential) -> Connection:
    """Log in on the server of ``current``.

    If the login is refused, the superuser's own secret may be rotating: it is read once more.
    Raises SuperuserRejected.
    """
    superuser = _read(rotation, current)
    try:
        return logins.connect(superuser, Account.SUPERUSER)
    except CredentialsRejected:
        again = _read(rotation, current)
    try:
        if again.password != superuser.password:
            return logins.connect(again, Account.SUPERUSER)
    except CredentialsRejected:
        pass
    raise SuperuserRejected(
        "The server refuses the superuser. If its secret is rotating, Secrets Manager repeats "
        "this rotation; otherwise store the right password in the superuser secret."
    )


def _read(rotation: Rotation, current: Credential) -> Credential:
    if current.superuser_arn is None:
        raise UnsupportedStrategy(
            'This rotation needs the key "masterarn" with the ARN of a superuser secret.'
        )
    superuser = rotation.superusers.superuser(current.superuser_arn, current)
    check_superuser(superuser, current, rotation.engine, secret_arn=rotation.arn)
    if rotation.engine.superuser_opens_database:
        return superuser
    return replace(superuser, dbname=None)
