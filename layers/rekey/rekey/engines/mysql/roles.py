"""Roles that an account was granted, and those that a login starts with.

A role of MySQL is an account, with a host; one of MariaDB has a name alone.
"""

import json
from collections.abc import Iterable, Iterator

from rekey.engines.mysql import quoting
from rekey.engines.mysql.accounts import Account
from rekey.engines.mysql.rights import ADMIN_OPTION, Right
from rekey.engines.mysql.session import Session
from rekey.engines.mysql.tables import GrantTables


def granted(tables: GrantTables, account: Account) -> Iterator[Right]:
    roles_of = _mariadb_roles if tables.session.mariadb else _mysql_roles
    return roles_of(tables, account)


def _mysql_roles(tables: GrantTables, account: Account) -> Iterator[Right]:
    for row in tables.of(account, "mysql.role_edges", name="to_user", host="to_host"):
        role = quoting.account(row["FROM_USER"], row["FROM_HOST"])
        yield from _role(role, admin=row["WITH_ADMIN_OPTION"])


def _mariadb_roles(tables: GrantTables, account: Account) -> Iterator[Right]:
    for row in tables.of(account, "mysql.roles_mapping"):
        yield from _role(quoting.identifier(row["Role"]), admin=row["Admin_option"])


def _role(name: str, *, admin: str) -> Iterator[Right]:
    yield Right("", name)
    if admin == "Y":
        yield Right("", name, ADMIN_OPTION)


def defaults(tables: GrantTables, account: Account) -> frozenset[str]:
    """Return the roles that a login starts with; on MariaDB also one that has been revoked."""
    if tables.session.mariadb:
        return _mariadb_defaults(tables, account)
    return _mysql_defaults(tables, account)


def _mysql_defaults(tables: GrantTables, account: Account) -> frozenset[str]:
    return frozenset(
        quoting.account(row["DEFAULT_ROLE_USER"], row["DEFAULT_ROLE_HOST"])
        for row in tables.of(account, "mysql.default_roles")
    )


def _mariadb_defaults(tables: GrantTables, account: Account) -> frozenset[str]:
    (row,) = tables.of(account, "mysql.global_priv")
    name = json.loads(row["Priv"]).get("default_role")
    return frozenset({quoting.identifier(name)} if name else {})


def lapsed(session: Session, named: frozenset[str], rights: Iterable[Right]) -> frozenset[str]:
    """Return those of MariaDB's default roles that the account may not take: they were revoked.

    What was granted to PUBLIC is everybody's.
    """
    missing = named - {right.what for right in rights if not right.on}
    if not missing:
        return missing
    rows = session.run("SELECT role FROM mysql.roles_mapping WHERE user = 'PUBLIC'")
    return missing - {quoting.identifier(role) for (role,) in rows}


def starting_with(session: Session, wanted: Iterable[str], account: Account) -> str:
    """Return the statement that makes exactly ``wanted`` the default roles of an account."""
    names = ", ".join(sorted(wanted)) or "NONE"
    if session.mariadb:
        return f"SET DEFAULT ROLE {names} FOR {account.sql}"
    return f"ALTER USER {account.sql} DEFAULT ROLE {names}"
