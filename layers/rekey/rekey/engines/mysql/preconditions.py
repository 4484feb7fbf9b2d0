"""What must be true before accounts are changed."""

from collections.abc import Iterable

from rekey.engines.mysql import hashes
from rekey.engines.mysql.accounts import Account, accounts
from rekey.engines.mysql.privileges import check_may_change_users
from rekey.engines.mysql.session import Session
from rekey.engines.mysql.verifier import policy_forbids, validations
from rekey.errors import UnsupportedStrategy

SINCE = {True: (10, 4), False: (8, 0, 17)}
"""The first version that we know how to change, by whether it is MariaDB's.

MySQL has two passwords from 8.0.14 on, and takes a hash as hexadecimal from 8.0.17 on (WL#12803).
"""
SINGLE_USER_SINCE = (8, 0, 19)
"""MySQL's first version that tells whether it logs passwords as they come (log_raw)."""
UNKNOWN = (0, 0, 0)
OURS = frozenset({hashes.CACHING_SHA2, hashes.SHA256, hashes.NATIVE, ""})
MARIADBS = OURS | {"ed25519", "parsec", "unix_socket", "mysql_old_password"}


def check(session: Session, username: str, *, all_hosts: bool, needed_by: str) -> list[Account]:
    """Return the accounts to change. For ``needed_by`` see check_version.

    Raises UnsupportedStrategy, ReadOnlyEndpoint, UserMissing, AmbiguousAccount, MissingPrivilege
    or PolicyForbidsHash.
    """
    check_version(session, SINCE[session.mariadb], needed_by)
    session.check_writable()
    found = accounts(session, username, all_hosts=all_hosts)
    check_plugins(session, found)
    check_may_change_users(session)
    refusing = validations(session) if session.mariadb else []
    if refusing:
        raise policy_forbids(session, refusing)
    return found


def check_version(session: Session, since: tuple[int, ...], needed_by: str) -> None:
    """Raise UnsupportedStrategy for an older server. ``needed_by`` begins the sentence."""
    if session.version >= since:
        return
    kind = "MariaDB" if session.mariadb else "MySQL"
    instead = ", or tag the secret rekey:strategy = single-user" if session.mariadb else ""
    raise UnsupportedStrategy(
        f"{needed_by} {kind} {'.'.join(map(str, since))} or newer, and {session.server} is older: "
        f"upgrade it{instead}."
    )


def check_mysql(session: Session, since: tuple[int, ...], needed_by: str) -> None:
    """Like check_version, for what every MariaDB can do, and a MySQL that hides its version may."""
    if not session.mariadb and session.version != UNKNOWN:
        check_version(session, since, needed_by)


def check_plugins(session: Session, found: Iterable[Account]) -> None:
    """Raise UnsupportedStrategy for an account that logs in by something else than a password."""
    known = MARIADBS if session.mariadb else OURS
    for account in found:
        for method in account.methods:
            if method.plugin not in known:
                raise UnsupportedStrategy(
                    f"{account.sql} logs in by {method.plugin}, which keeps its password elsewhere "
                    "or has none: rotate it there."
                )
