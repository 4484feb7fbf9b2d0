"""Two passwords of one account at a time.

MySQL keeps the one before as a second one (RETAIN CURRENT PASSWORD). What it keeps is whatever was
the first: repeated, that statement would push AWSCURRENT out. So AWSCURRENT is made the first one
before, and logs in before, between and after both statements. MariaDB takes both in one statement.
"""

from rekey.engines.mysql import hashes, preconditions, quoting
from rekey.engines.mysql.accounts import Account, Method
from rekey.engines.mysql.session import Session
from rekey.engines.mysql.verifier import change, identified, usable_plugin


def check(session: Session, username: str, *, all_hosts: bool) -> list[Account]:
    """Return the accounts to change, after all that check_two_passwords says."""
    return preconditions.check(
        session, username, all_hosts=all_hosts, needed_by="Two passwords of one user need"
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
