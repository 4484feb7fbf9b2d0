"""What must be true before another user's accounts are changed."""

from collections.abc import Iterable

from rekey.engines.mysql import hashes
from rekey.engines.mysql.accounts import Account, accounts
from rekey.engines.mysql.privileges import check_may_change_users
from rekey.engines.mysql.session import Session
from rekey.engines.mysql.verifier import policy_forbids, validations
from rekey.errors import UnsupportedStrategy

SINCE = {True: (10, 4), False: (8, 0, 14)}
"""The first version that we know how to change, by whether it is MariaDB's."""
OURS = frozenset({hashes.CACHING_SHA2, hashes.SHA256, hashes.NATIVE, ""})
MARIADBS = OURS | {"ed25519", "parsec", "unix_socket", "mysql_old_password"}


def check(session: Session, username: str, *, all_hosts: bool, needed_by: str) -> list[Account]:
    """Return the accounts to change. ``needed_by`` begins the sentence about an old server.

    Raises UnsupportedStrategy, ReadOnlyEndpoint, UserMissing, AmbiguousAccount, MissingPrivilege
    or PolicyForbidsHash.
    """
    if session.version < SINCE[session.mariadb]:
        needed = ".".join(map(str, SINCE[session.mariadb]))
        kind = "MariaDB" if session.mariadb else "MySQL"
        raise UnsupportedStrategy(
            f"{needed_by} need {kind} {needed}, and {session.server} is older: upgrade it, or "
            "tag the secret rekey:strategy = single-user."
        )
    session.check_writable()
    found = accounts(session, username, all_hosts=all_hosts)
    check_plugins(session, found)
    check_may_change_users(session)
    refusing = validations(session) if session.mariadb else []
    if refusing:
        raise policy_forbids(session, refusing)
    return found


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
