"""Two alternating users on a running server, and what the server tells of their rights."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rekey.ports import PeerChange
from tests.integration.mysql.account import Account, new_password, quoted

TOKENS = re.compile(r"`(?:[^`]|``)*`|'(?:[^']|'')*'|\w+|\S")
HASH = re.compile(r" IDENTIFIED BY PASSWORD '[^']*'")

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
        for own in (f"`{user}`@`{self.host}`", f"'{user}'@'{self.host}'"):
            rows = [HASH.sub("", row).replace(own, "itself") for row in rows]
        return frozenset(tuple(sorted(TOKENS.findall(row.lower()))) for row in rows)

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
