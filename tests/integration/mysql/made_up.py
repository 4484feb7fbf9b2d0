"""Users, objects and grants with odd names, made up by hypothesis."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pymysql
from hypothesis import strategies as st

from tests.integration.mysql.account import quoted
from tests.integration.mysql.alternating import Users

ODD = "aB'`\"\\ %_,.()@;-"
FOREIGN = "é漢"
"""MySQL writes these wrongly into its table of routines, and finds them no more once restarted."""
PREFIX = 11
"""So many letters of the user's name are not odd, and like no other user's."""
HOSTS = ("%", "127.0.0.1", "127.0.%", "127.0.0.0/255.0.0.0")

EVERYWHERE = ("SELECT", "INSERT", "PROCESS", "RELOAD", "CREATE TEMPORARY TABLES", "SHOW DATABASES")
DYNAMIC = ("BACKUP_ADMIN", "ROLE_ADMIN", "XA_RECOVER_ADMIN")
MARIADBS = ("BINLOG ADMIN", "SET USER", "DELETE HISTORY")
DATABASE = ("SELECT", "INSERT", "CREATE TEMPORARY TABLES", "LOCK TABLES", "CREATE ROUTINE", "EVENT")
TABLE = ("SELECT", "UPDATE", "DELETE", "SHOW VIEW", "TRIGGER")
COLUMN = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
ROUTINE = ("EXECUTE", "ALTER ROUTINE")
NUMBERS = st.integers(0, 1)


def odd(*, mariadb: bool) -> st.SearchStrategy[list[str]]:
    """Two ends of names. The last letter is none that the servers would cut off."""
    letters = ODD + FOREIGN if mariadb else ODD
    end = st.text(alphabet=letters, max_size=6).map(lambda text: f"{text}x")
    return st.lists(end.filter(lambda text: "'@'" not in text), min_size=2, max_size=2)


def identifier(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


@dataclass(frozen=True)
class Grant:
    """``what`` on ``on``; names stand in braces, as ``{database0}``."""

    what: str
    on: str
    option: str = ""

    def grant(self, names: dict[str, str], user: str) -> str:
        option = f" WITH {self.option}" if self.option else ""
        return f"GRANT {self._rights(names)} TO {user}{option}"

    def revoke(self, names: dict[str, str], user: str) -> str:
        return f"REVOKE {self._rights(names)} FROM {user}"

    def _rights(self, names: dict[str, str]) -> str:
        text = f"{self.what} ON {self.on}" if self.on else self.what
        for key, name in names.items():
            text = text.replace(f"{{{key}}}", name)
        return text


def some(privileges: tuple[str, ...], more: str = "") -> st.SearchStrategy[str]:
    chosen = st.lists(st.sampled_from(privileges), min_size=1, max_size=3, unique=True)
    return chosen.map(lambda names: ", ".join(name + more for name in names))


def option(name: str = "GRANT OPTION") -> st.SearchStrategy[str]:
    return st.sampled_from(["", "", name])


def on(text: str) -> st.SearchStrategy[str]:
    """``text`` with a number in place of each #."""
    return st.tuples(NUMBERS, NUMBERS).map(
        lambda numbers: text.replace("#", str(numbers[0]), 1).replace("#", str(numbers[1]), 1)
    )


def grants(*, mariadb: bool) -> st.SearchStrategy[Grant]:
    tables, routines = on("{database#}.{table#}"), on("FUNCTION {database#}.{routine#}")
    columns = NUMBERS.flatmap(lambda number: some(COLUMN, f" ({{column{number}}})"))
    own = some(MARIADBS if mariadb else DYNAMIC)
    return st.one_of(
        st.builds(Grant, some(EVERYWHERE), st.just("*.*"), option()),
        st.builds(Grant, own, st.just("*.*"), option()),
        st.builds(Grant, some(DATABASE), on("{database#}.*"), option()),
        st.builds(Grant, some(TABLE), tables, option()),
        st.builds(Grant, columns, tables, option()),
        st.builds(Grant, some(ROUTINE), routines, option()),
        st.builds(Grant, on("{role#}"), st.just(""), option("ADMIN OPTION")),
        # Never one of them in both ways: MariaDB adds the option to what it knows, and not to its
        # table, so that it is gone once the server is restarted.
        st.just(Grant("PROXY", "{other0}")),
        st.just(Grant("PROXY", "{other1}", "GRANT OPTION")),
    )


@dataclass(frozen=True)
class Changes:
    """What is done to the base user: what it is granted, and then what of it is revoked."""

    granted: tuple[Grant, ...]
    revoked: tuple[Grant, ...]
    default_role: int | None


def changes(*, mariadb: bool) -> st.SearchStrategy[Changes]:
    many = st.lists(grants(mariadb=mariadb), max_size=6).map(tuple)
    return st.builds(Changes, many, many, st.none() | NUMBERS)


@dataclass(frozen=True)
class Made:
    """The objects that grants are about, and the users."""

    users: Users
    names: dict[str, str]

    def apply(self, made_up: Changes, user: str) -> None:
        """What the server refuses, such as to revoke what was never granted, is left out."""
        account = self.users.sql(user)
        statements = [grant.grant(self.names, account) for grant in made_up.granted]
        statements += [grant.revoke(self.names, account) for grant in made_up.revoked]
        if made_up.default_role is not None:
            role = self.names[f"role{made_up.default_role}"]
            word = "FOR" if self.users.account.mariadb else "TO"
            statements.append(f"SET DEFAULT ROLE {role} {word} {account}")
        # MySQL forgets half of what REVOKE GRANT OPTION ON *.* does to dynamic privileges.
        self._execute(*statements, *([] if self.users.account.mariadb else ["FLUSH PRIVILEGES"]))

    def _execute(self, *statements: str) -> None:
        with self.users.account.running.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                try:
                    cursor.execute(statement)
                except pymysql.MySQLError:
                    continue


@contextmanager
def made(users: Users, odd: list[str]) -> Iterator[Made]:
    """Two of each kind of object; all are gone afterwards."""
    words = ("database", "table", "column", "routine", "role")
    names = {
        f"{word}{number}": identifier(f"{users.base[:PREFIX]}{word[:2]}{number}{odd[number]}")
        for word in words
        for number in (0, 1)
    }
    for number in (0, 1):
        names[f"other{number}"] = (
            f"{quoted(f'{users.base[:PREFIX]}o{number}{odd[number]}')}@'10.0.0.{number}'"
        )
    create, drop = [], []
    for word, kind in (("role", "ROLE"), ("database", "DATABASE")):
        create += [f"CREATE {kind} {names[f'{word}{number}']}" for number in (0, 1)]
        drop += [f"DROP {kind} {names[f'{word}{number}']}" for number in (0, 1)]
    for database in (names["database0"], names["database1"]):
        columns = f"{names['column0']} INT, {names['column1']} INT"
        for number in (0, 1):
            routine = names[f"routine{number}"]
            create.append(f"CREATE TABLE {database}.{names[f'table{number}']} ({columns})")
            create.append(f"CREATE FUNCTION {database}.{routine}() RETURNS INT NO SQL RETURN 1")
    try:
        users.execute(*create)
        yield Made(users, names)
    finally:
        rows: list[Any] = users.execute(
            f"SELECT user, host FROM mysql.user WHERE user LIKE {quoted(users.base[:PREFIX] + '%')}"
            + (" AND is_role = 'N'" if users.account.mariadb else "")
        )
        roles = {names["role0"], names["role1"]}
        users.execute(
            *(
                f"DROP USER {quoted(user)}@{quoted(host)}"
                for user, host in rows
                if identifier(user) not in roles
            ),
            *drop,
        )
