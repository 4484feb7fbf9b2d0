"""The rows of the server's grant tables that are about some accounts, each table asked once."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rekey.engines.mysql.accounts import Account
from rekey.engines.mysql.session import Session

Row = Mapping[str, Any]


def as_it_is(name: str) -> tuple[str, ...]:
    """Return the one way in which most tables spell a name."""
    return (name,)


class GrantTables:
    """What the tables say of accounts of one host, as of when they were first asked."""

    def __init__(self, session: Session, accounts: Iterable[Account]) -> None:
        self.session = session
        self._accounts = tuple(accounts)
        self._asked: dict[str, list[dict[str, Any]]] = {}

    def of(
        self,
        account: Account,
        table: str,
        name: str = "user",
        host: str = "host",
        spelled: Callable[[str], tuple[str, ...]] = as_it_is,
    ) -> list[Row]:
        """Return the rows about one of the accounts, by the names of columns.

        ``name`` and ``host`` are the columns that say whom a row is about; one without ``host``
        says it in one column. ``spelled`` returns the ways in which the table spells a user.
        """
        if table not in self._asked:
            self._asked[table] = self._ask(table, name, host, spelled)
        wanted = spelled(account.user)
        return [row for row in self._asked[table] if row["account_name"] in wanted]

    def _ask(
        self, table: str, name: str, host: str, spelled: Callable[[str], tuple[str, ...]]
    ) -> list[dict[str, Any]]:
        names = [spelling for account in self._accounts for spelling in spelled(account.user)]
        among = ", ".join(["BINARY %s"] * len(names))
        of_host, hosts = (f" AND {host} = %s", [self._accounts[0].host]) if host else ("", [])
        return self.session.records(
            f"SELECT {name} AS account_name, found.* FROM {table} AS found"  # noqa: S608 - our own names
            f" WHERE BINARY {name} IN ({among}){of_host}",
            *names,
            *hosts,
        )
