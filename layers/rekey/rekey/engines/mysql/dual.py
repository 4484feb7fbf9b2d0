"""Two passwords of one account at a time.

MySQL keeps the one before as a second one (RETAIN CURRENT PASSWORD). What it keeps is whatever was
the first: repeated, that statement would push AWSCURRENT out. So AWSCURRENT is made the first one
before, and logs in before, between and after both statements. MariaDB takes both in one statement.
"""

from rekey.engines.mysql import hashes, quoting
from rekey.engines.mysql.accounts import Account, Method, accounts
from rekey.engines.mysql.privileges import check_may_change_users
from rekey.engines.mysql.session import Session
from rekey.engines.mysql.verifier import (
    change,
    identified,
    policy_forbids,
    usable_plugin,
    validations,
)
from rekey.errors import UnsupportedStrategy

SINCE = {True: (10, 4), False: (8, 0, 14)}
"""The first version with two passwords, by whether it is MariaDB's."""
OURS = frozenset({hashes.CACHING_SHA2, hashes.SHA256, hashes.NATIVE, ""})
MARIADBS = OURS | {"ed25519", "parsec", "unix_socket", "mysql_old_password"}


def check(session: Session, username: str, *, all_hosts: bool) -> list[Account]:
    """Return the accounts to change, after all that check_two_passwords says."""
    if session.version < SINCE[session.mariadb]:
        needed = ".".join(map(str, SINCE[session.mariadb]))
        kind = "MariaDB" if session.mariadb else "MySQL"
        raise UnsupportedStrategy(
            f"Two passwords need {kind} {needed}, and {session.server} is older: upgrade it, or "
            "tag the secret rekey:strategy = alternating-users."
        )
    session.check_writable()
    found = accounts(session, username, all_hosts=all_hosts)
    _check_plugins(session, found)
    check_may_change_users(session)
    refusing = validations(session) if session.mariadb else []
    if refusing:
        raise policy_forbids(session, refusing)
    return found


def _check_plugins(session: Session, found: list[Account]) -> None:
    known = MARIADBS if session.mariadb else OURS
    for account in found:
        for method in account.methods:
            if method.plugin not in known:
                raise UnsupportedStrategy(
                    f"{account.sql} logs in by {method.plugin}, which keeps its password elsewhere "
                    "or has none: rotate it there."
                )


def give_two(session: Session, account: Account, current: str, pending: str) -> None:
    """Let both log in. From any state of the account, ``current`` does so at every instant."""
    if session.mariadb:
        wanted = tuple(Method(hashes.NATIVE, hashes.native(one)) for one in (pending, current))
        _converge(session, account, wanted)
        return
    if _has(account, pending, current) or _has(account, current, pending):
        return
    plugin = usable_plugin(session, account.plugin)
    if plugin != account.plugin or not hashes.matches(current, plugin, account.stored):
        change(session, f"ALTER USER {account.sql} {identified(session, plugin, current)}")
    clause = identified(session, plugin, pending)
    change(session, f"ALTER USER {account.sql} {clause} RETAIN CURRENT PASSWORD")


def _has(account: Account, first: str, second: str) -> bool:
    return bool(
        account.second
        and hashes.matches(first, account.plugin, account.stored)
        and hashes.matches(second, account.plugin, account.second)
    )


def leave_one(session: Session, account: Account, password: str) -> None:
    """Make ``password`` the only one: one statement, so that no instant has neither."""
    if session.mariadb:
        _converge(session, account, (Method(hashes.NATIVE, hashes.native(password)),))
        return
    if account.second is None and hashes.matches(password, account.plugin, account.stored):
        return
    clause = identified(session, account.plugin, password)
    change(session, f"ALTER USER {account.sql} {clause}, {account.sql} DISCARD OLD PASSWORD")


def _converge(session: Session, account: Account, wanted: tuple[Method, ...]) -> None:
    """Give a MariaDB account these methods and no other."""
    if set(account.methods) == set(wanted):
        return
    methods = (f"{method.plugin} USING {quoting.literal(method.stored)}" for method in wanted)
    change(session, f"ALTER USER {account.sql} IDENTIFIED VIA {' OR '.join(methods)}")
