"""Two alternating users on a running server, and what the server tells of their rights."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partialmethod
from typing import Any

import pytest

from rekey.engines.mysql.session import Session
from rekey.errors import DatabaseUnreachable
from rekey.ports import PeerChange
from tests.integration.mysql.account import Account, new_password, quoted

TOKENS = re.compile(r"`(?:[^`]|``)*`|'(?:[^']|'')*'|\w+|\S")
HASH = re.compile(r" IDENTIFIED BY PASSWORD '[^']*'")

CHANGES = ("GRANT", "REVOKE", "CREATE", "ALTER", "SET DEFAULT", "DROP")
RUN = Session.run

Told = frozenset[tuple[str, ...]]


@dataclass
class Users:
    """``account`` is the base user; the clone is made by the engine."""

    account: Account
    host: str = "%"
    passwords: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.passwords[self.base] = self.account.password

    @property
    def base(self) -> str:
        return self.account.name

    @property
    def clone(self) -> str:
        return f"{self.base}_clone"

    def sql(self, user: str) -> str:
        return f"{quoted(user)}@{quoted(self.host)}"

    def execute(self, *statements: str) -> list[Any]:
        return self.account.running.execute(*statements)

    def provide(
        self, pending: str, *, password: str | None = None, all_hosts: bool = False
    ) -> None:
        """As setSecret does; with a new password, if none is given."""
        password = password or new_password()
        with self.account.superuser() as connection:
            connection.provide_peer(PeerChange(self.base, self.clone, pending, password, all_hosts))
        self.passwords[pending] = password

    def logs_in(self, user: str) -> bool:
        return self.account.logs_in(self.passwords[user], user)

    def told(self, user: str) -> Told:
        """The rows of SHOW GRANTS, without the user's own name, and each in one order of words.

        Not what the engine reads: so a mistake in it shows.
        """
        rows = [str(row[0]) for row in self.execute(f"SHOW GRANTS FOR {self.sql(user)}")]
        # MariaDB quotes the names in a row about a proxy, and doubles no quote in them.
        forms = ["@".join(f"`{n.replace('`', '``')}`" for n in (user, self.host))]
        forms += [self.sql(user), f"'{user}'@'{self.host}'"]
        for own in forms:
            rows = [HASH.sub("", row).replace(own, "itself") for row in rows]
        rows = [row for row in rows if not self._has_lapsed(row, rows)]
        return frozenset(tuple(sorted(TOKENS.findall(row.lower()))) for row in rows)

    @staticmethod
    def _has_lapsed(row: str, rows: list[str]) -> bool:
        """MariaDB goes on telling a default role that was revoked."""
        start = "SET DEFAULT ROLE "
        role = row.removeprefix(start).rpartition(" FOR ")[0]
        return row.startswith(start) and not any(r.startswith(f"GRANT {role} TO ") for r in rows)

    def check_equal(self) -> None:
        """The server tells the same of both."""
        base, clone = self.told(self.base), self.told(self.clone)
        assert base == clone, f"base: {sorted(base - clone)}, clone: {sorted(clone - base)}"

    def created(self, user: str) -> str:
        """What SHOW CREATE USER tells, without the user's name and its password."""
        row = str(self.execute(f"SHOW CREATE USER {self.sql(user)}")[0][0])
        return row.partition(" REQUIRE ")[2] or HASH.sub("", row.partition(f"@`{self.host}`")[2])

    def ask(self, user: str, query: str) -> str:
        """What a login of the user gets, in one column and row if any."""
        login = self.account.running.connect(user, self.passwords[user])
        with login, login.cursor() as cursor:
            cursor.execute(query)
            row = cursor.fetchone()
            return "" if row is None else str(row[0])

    def may_grant_proxies(self) -> None:
        """Give the superuser what the server gives to nobody but root at its own machine."""
        self.execute(
            "REPLACE INTO mysql.proxies_priv (Host, User, Proxied_host, Proxied_user, With_grant,"
            f" Grantor) VALUES ('%', '{self.account.running.superuser}', '', '', 1, '')",
            "FLUSH PRIVILEGES",
        )


@contextmanager
def database(users: Users, name: str, *tables: str) -> Iterator[str]:
    """A database with tables of two columns, ``a`` and ``b``."""
    quoted_name = f"`{name.replace('`', '``')}`"
    users.execute(f"CREATE DATABASE {quoted_name}")
    try:
        for table in tables:
            users.execute(f"CREATE TABLE {quoted_name}.`{table}` (a INT, b INT)")
        yield quoted_name
    finally:
        users.execute(f"DROP DATABASE {quoted_name}")


@dataclass
class Cut:
    """The engine's connection ends after so many statements that changed something."""

    after: int
    done: int = 0
    happened: bool = False

    def run(self, session: Session, statement: str, *parameters: object) -> list[Any]:
        changes = statement.startswith(CHANGES)
        if changes and self.done == self.after:
            self.happened = True
            session.close()
            raise DatabaseUnreachable("The test has cut the connection.")
        rows = RUN(session, statement, *parameters)
        self.done += changes
        return rows


def _run_unless_cut(session: Session, cut: Cut, *statement: Any) -> list[Any]:
    return cut.run(session, *statement)


@contextmanager
def cut(after: int) -> Iterator[Cut]:
    """Whether the server has carried out the statement before the end makes no difference to it."""
    cut = Cut(after)
    with pytest.MonkeyPatch.context() as patch:
        # A function, which becomes a method, unlike what is bound to the cut already.
        patch.setattr(Session, "run", partialmethod(_run_unless_cut, cut))
        yield cut


def try_cut_off(users: Users, pending: str, after: int) -> bool:
    """Whether an attempt was cut off; one more has then ended right.

    In between, the user in use logs in with all it had, and the pending one only if it is equal.
    """
    in_use = users.base if pending == users.clone else users.clone
    before, password = users.told(in_use), new_password()
    with cut(after) as cutting, suppress(DatabaseUnreachable):
        users.provide(pending, password=password)
    assert users.logs_in(in_use)
    assert before <= users.told(in_use)
    if users.account.logs_in(password, pending):
        users.check_equal()
    users.provide(pending, password=password)
    users.check_equal()
    assert users.logs_in(users.base)
    assert users.logs_in(users.clone)
    return cutting.happened
