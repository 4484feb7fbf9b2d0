"""One new password, for the login itself or by one that may change others."""

from contextlib import suppress

from rekey.engines.mysql import accounts, hashes, quoting
from rekey.engines.mysql.accounts import Account
from rekey.engines.mysql.preconditions import SINCE, SINGLE_USER_SINCE, check_mysql
from rekey.engines.mysql.privileges import check_may_change_users, may_change_users
from rekey.engines.mysql.session import Session
from rekey.engines.mysql.verifier import change, set_hash
from rekey.errors import AmbiguousAccount, MissingPrivilege, PlaintextRefused

TWO_PASSWORDS = (8, 0, 14)


def set_password(session: Session, username: str, password: str, *, all_hosts: bool) -> None:
    """Give ``username`` one password. By a hash wherever the login may do that."""
    if session.login_name != username:
        check_mysql(session, SINCE[False], "A password that a superuser sets needs")
        check_may_change_users(session)
        _set_hashes(session, accounts.accounts(session, username, all_hosts=all_hosts), password)
        return
    found = check(session, all_hosts=all_hosts)
    if found:
        _set_hashes(session, found, password)
    elif session.mariadb:
        change(session, f"SET PASSWORD = {quoting.literal(hashes.native(password))}")
    else:
        _send(session, password)


def check(session: Session, *, all_hosts: bool) -> list[Account]:
    """Return the login's accounts that it may change by a hash; none if it may change itself only.

    Raises UnsupportedStrategy, AmbiguousAccount or PlaintextRefused, before anything is changed.
    """
    check_mysql(session, SINGLE_USER_SINCE, "single-user needs")
    found = _seen(session, all_hosts=all_hosts)
    if found and may_change_users(session):
        return found
    if not session.mariadb:
        _check_clear_text(session)
    return []


def _set_hashes(session: Session, found: list[Account], password: str) -> None:
    for account in found:
        set_hash(session, account, password)


def _seen(session: Session, *, all_hosts: bool) -> list[Account]:
    """Return the accounts to change, the login's own one last; none if it may not look.

    Last, so that a repeat after a crash logs in with the old password, and changes all of them.

    Raises AmbiguousAccount if another one of the name has a password too, and it is not meant or
    cannot be changed: it would keep the old one, and who comes from its hosts would be refused.
    """
    try:
        found = accounts.find(session, session.login_name)
    except MissingPrivilege:
        return []
    own = [one for one in found if one.host == session.login_host]
    others = [one for one in found if one not in own and one.stored]
    if others and not (all_hosts and may_change_users(session)):
        named = ", ".join(one.sql for one in others)
        raise AmbiguousAccount(
            f"{session.server} has further accounts of that name ({named}), which would keep the "
            "old password: drop them, or rotate with the strategy dual-password and the tag "
            "rekey:hosts = all."
        )
    return [*others, *own] if own else []


def _check_clear_text(session: Session) -> None:
    """Raise PlaintextRefused if a password in a statement would be seen or stay somewhere.

    The server writes ``<secret>`` in its logs instead, unless it is told to log what it gets.
    """
    if not session.tls:
        raise PlaintextRefused(
            "A MySQL user that changes its own password has to send it in clear, and the "
            'connection has no TLS: take "ssl": false out of the secret, or rotate with the '
            "strategy dual-password."
        )
    if session.run("SELECT @@global.log_raw")[0][0]:
        raise PlaintextRefused(
            f"{session.server} logs statements as they come (log_raw), passwords included: SET "
            "GLOBAL log_raw = OFF, or rotate with the strategy dual-password."
        )


def _send(session: Session, password: str) -> None:
    """Change one's own password on MySQL, which takes it in clear only."""
    session.run(f"ALTER USER USER() IDENTIFIED BY {quoting.literal(password)}")
    if session.version >= TWO_PASSWORDS:
        with suppress(MissingPrivilege):  # Without APPLICATION_PASSWORD_ADMIN, a second one stays.
            session.run("ALTER USER USER() DISCARD OLD PASSWORD")
