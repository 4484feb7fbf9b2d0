"""Roles that an account was granted, and those that a login starts with.

A role of MySQL is an account, with a host; one of MariaDB has a name alone.
"""

import json
from collections.abc import Iterable, Iterator

from rekey.engines.mysql import quoting
from rekey.engines.mysql.accounts import Account, rows_of
from rekey.engines.mysql.rights import ADMIN_OPTION, Right
from rekey.engines.mysql.session import Session


def granted(session: Session, account: Account) -> Iterator[Right]:
    return _mariadb_roles(session, account) if session.mariadb else _mysql_roles(session, account)


def _mysql_roles(session: Session, account: Account) -> Iterator[Right]:
    rows = session.run(
        "SELECT from_user, from_host, with_admin_option FROM mysql.role_edges"
        " WHERE BINARY to_user = BINARY %s AND to_host = %s",
        account.user,
        account.host,
    )
    for user, host, admin in rows:
        yield from _role(quoting.account(user, host), admin=admin)


def _mariadb_roles(session: Session, account: Account) -> Iterator[Right]:
    for row in rows_of(session, "roles_mapping", account):
        yield from _role(quoting.identifier(row["Role"]), admin=row["Admin_option"])


def _role(name: str, *, admin: str) -> Iterator[Right]:
    yield Right("", name)
    if admin == "Y":
        yield Right("", name, ADMIN_OPTION)


def defaults(session: Session, account: Account) -> frozenset[str]:
    if session.mariadb:
        return _mariadb_defaults(session, account)
    return _mysql_defaults(session, account)


def _mysql_defaults(session: Session, account: Account) -> frozenset[str]:
    rows = rows_of(session, "default_roles", account)
    return frozenset(
        quoting.account(row["DEFAULT_ROLE_USER"], row["DEFAULT_ROLE_HOST"]) for row in rows
    )


def _mariadb_defaults(session: Session, account: Account) -> frozenset[str]:
    (row,) = rows_of(session, "global_priv", account)
    name = json.loads(row["Priv"]).get("default_role")
    return frozenset({quoting.identifier(name)} if name else {})


def usable(session: Session, account: Account) -> frozenset[str]:
    """Return the roles that MariaDB lets an account take: one that was revoked stays its default.

    What was granted to PUBLIC is everybody's.
    """
    rows = session.run(
        "SELECT role FROM mysql.roles_mapping"
        " WHERE (BINARY user = BINARY %s AND host = %s) OR user = 'PUBLIC'",
        account.user,
        account.host,
    )
    return frozenset(quoting.identifier(role) for (role,) in rows)


def starting_with(session: Session, wanted: Iterable[str], account: Account) -> str:
    """Return the statement that makes exactly ``wanted`` the default roles of an account."""
    names = ", ".join(sorted(wanted)) or "NONE"
    if session.mariadb:
        return f"SET DEFAULT ROLE {names} FOR {account.sql}"
    return f"ALTER USER {account.sql} DEFAULT ROLE {names}"
