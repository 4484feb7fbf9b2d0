"""Read the rights of an account from the server's grant tables.

The tables hold names as they are. SHOW GRANTS and information_schema put them into texts, which
would have to be taken apart again. Sources: MySQL documentation, "Grant Tables", and MariaDB's,
"The mysql Database Tables".
"""

import json
from collections.abc import Iterator

from rekey.engines.mysql import quoting, roles
from rekey.engines.mysql.accounts import Account
from rekey.engines.mysql.rights import EVERYTHING, GRANT_OPTION, PROXY, Both, Right, Rights
from rekey.engines.mysql.session import Session
from rekey.engines.mysql.tables import GrantTables, Row
from rekey.errors import MissingPrivilege, UnsupportedStrategy

COLUMN_SUFFIX = "_priv"
STATEMENTS_WORDS = {
    "CREATE TMP TABLE": "CREATE TEMPORARY TABLES",
    "DELETE VERSIONING ROWS": "DELETE HISTORY",
    "GRANT": GRANT_OPTION,
    "REPL CLIENT": "REPLICATION CLIENT",
    "REPL SLAVE": "REPLICATION SLAVE",
    "SHOW DB": "SHOW DATABASES",
}
"""Privileges that the tables call by another name than GRANT."""
NO_PRIVILEGE = "USAGE"
NOT_IN_WINDOWS_1252 = frozenset({0x81, 0x8D, 0x8F, 0x90, 0x9D})


def read(session: Session, base: Account, clone: Account) -> Both:
    """Return all rights of two accounts of one host; MissingPrivilege says what to grant."""
    tables = GrantTables(session, (base, clone))
    try:
        return Both(_rights(tables, base), _rights(tables, clone))
    except MissingPrivilege:
        login = quoting.account(session.login_name, session.login_host)
        failure = MissingPrivilege(
            f"The login {session.login_name} may not see which rights {base.sql} and {clone.sql} "
            f"have: GRANT SELECT ON mysql.* TO {login}."
        )
    raise failure


def _rights(tables: GrantTables, account: Account) -> Rights:
    readers = (_everywhere, _databases, _tables, _columns, _routines, _proxies, roles.granted)
    granted = frozenset(right for reader in readers for right in reader(tables, account))
    named = roles.defaults(tables, account)
    if tables.session.mariadb:
        lapsed = roles.lapsed(tables.session, named, granted)
        return Rights(granted, defaults=named - lapsed, lapsed=lapsed)
    return Rights(granted, _restricted(tables, account), named)


def check_readable(session: Session, account: Account) -> None:
    """Raise UnsupportedStrategy for a name that MariaDB's lists do not tell from another one."""
    if session.mariadb and "'@'" in account.user + account.host:
        raise UnsupportedStrategy(
            f"The name of {account.sql} cannot be told from another account's: rename it, or tag "
            "the secret rekey:strategy = dual-password."
        )


def privilege(name: str) -> str:
    """Return what GRANT calls a privilege, from a column's name or a member of a set."""
    words = name.removesuffix(COLUMN_SUFFIX).replace("_", " ").upper()
    return STATEMENTS_WORDS.get(words, words)


def _flags(row: Row, on: str) -> Iterator[Right]:
    for name, value in row.items():
        if name.endswith(COLUMN_SUFFIX) and value == "Y":
            yield Right(on, privilege(name))


def _members(text: str) -> list[str]:
    return [privilege(name) for name in text.split(",") if name]


def _everywhere(tables: GrantTables, account: Account) -> Iterator[Right]:
    (user,) = tables.of(account, "mysql.user")
    if tables.session.mariadb:
        yield from _mariadb_everywhere(tables, account, grantable=user["Grant_priv"] == "Y")
        return
    yield from _flags(user, EVERYTHING)
    for row in tables.of(account, "mysql.global_grants"):
        yield Right(EVERYTHING, row["PRIV"], dynamic=True)
        if row["WITH_GRANT_OPTION"] == "Y":
            yield Right(EVERYTHING, row["PRIV"], GRANT_OPTION, dynamic=True)


def _mariadb_everywhere(
    tables: GrantTables, account: Account, *, grantable: bool
) -> Iterator[Right]:
    """Read what MariaDB keeps as the bits of a number, and half of which no table shows."""

    def grantee(user: str) -> tuple[str, ...]:
        return (f"'{user}'@'{account.host}'",)

    if grantable:
        yield Right(EVERYTHING, GRANT_OPTION)
    shown = "information_schema.user_privileges"
    for row in tables.of(account, shown, name="grantee", host="", spelled=grantee):
        if row["PRIVILEGE_TYPE"] != NO_PRIVILEGE:
            yield Right(EVERYTHING, row["PRIVILEGE_TYPE"])


def _databases(tables: GrantTables, account: Account) -> Iterator[Right]:
    for row in tables.of(account, "mysql.db"):
        yield from _flags(row, f"{quoting.identifier(row['Db'])}.*")


def _table(row: Row) -> str:
    return f"{quoting.identifier(row['Db'])}.{quoting.identifier(row['Table_name'])}"


def _tables(tables: GrantTables, account: Account) -> Iterator[Right]:
    for row in tables.of(account, "mysql.tables_priv"):
        for name in _members(row["Table_priv"]):
            yield Right(_table(row), name)


def _columns(tables: GrantTables, account: Account) -> Iterator[Right]:
    """Names of columns and of routines are the same in any case."""
    for row in tables.of(account, "mysql.columns_priv"):
        for name in _members(row["Column_priv"]):
            column = quoting.identifier(row["Column_name"].lower())
            yield Right(_table(row), f"{name} ({column})")


def _routines(tables: GrantTables, account: Account) -> Iterator[Right]:

    def spelled(user: str) -> tuple[str, ...]:
        return user, as_stored(user)

    for row in tables.of(account, "mysql.procs_priv", spelled=spelled):
        database, name = (as_meant(row[key]) for key in ("Db", "Routine_name"))
        on = routine(row["Routine_type"], database, name)
        for member in _members(row["Proc_priv"]):
            yield Right(on, member)


def as_stored(name: str) -> str:
    """Return what MySQL 9.7 and MariaDB 10.11 make of a name in the table of routines' rights.

    They take its UTF-8 for Latin-1, which to them is Windows-1252 with all of 256 characters.
    """
    return "".join(
        bytes([byte]).decode("latin-1" if byte in NOT_IN_WINDOWS_1252 else "cp1252")
        for byte in name.encode()
    )


def as_meant(stored: str) -> str:
    """Undo ``as_stored``. A name that another version left as it was stays."""
    try:
        name = b"".join(
            character.encode("latin-1" if ord(character) in NOT_IN_WINDOWS_1252 else "cp1252")
            for character in stored
        )
        return name.decode()
    except UnicodeError:
        return stored


def routine(kind: str, database: str, name: str) -> str:
    """Return what GRANT calls a routine; ``kind`` is FUNCTION, PROCEDURE or the like."""
    return f"{kind} {quoting.identifier(database)}.{quoting.identifier(name.lower())}"


def _proxies(tables: GrantTables, account: Account) -> Iterator[Right]:
    for row in tables.of(account, "mysql.proxies_priv"):
        on = quoting.account(row["Proxied_user"], row["Proxied_host"])
        yield Right(on, PROXY)
        if row["With_grant"]:
            yield Right(on, PROXY, GRANT_OPTION)


def _restricted(tables: GrantTables, account: Account) -> frozenset[Right]:
    (user,) = tables.of(account, "mysql.user")
    return frozenset(
        Right(f"{quoting.identifier(one['Database'])}.*", name)
        for one in json.loads(user["User_attributes"] or "{}").get("Restrictions", [])
        for name in one["Privileges"]
    )
