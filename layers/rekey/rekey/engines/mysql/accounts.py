"""The accounts of a user name: on these servers, they differ by the client's host."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rekey.engines.mysql import quoting
from rekey.engines.mysql.session import Session
from rekey.errors import AmbiguousAccount, MissingPrivilege, UserMissing

MARIADB_LOCKED = "account_locked"


@dataclass(frozen=True)
class Method:
    """One way to log in: a plugin, and what it stores of the password."""

    plugin: str
    stored: str = field(repr=False)


@dataclass(frozen=True)
class Account:
    """``methods``: MariaDB tries them in this order; MySQL has one.

    ``second`` is what MySQL stores of a password that was kept with RETAIN.
    """

    user: str
    host: str
    methods: tuple[Method, ...]
    second: str | None = field(default=None, repr=False)
    locked: bool = False

    @property
    def sql(self) -> str:
        """The account as statements name it."""
        return quoting.account(self.user, self.host)

    @property
    def plugin(self) -> str:
        """The plugin of the first method."""
        return self.methods[0].plugin

    @property
    def stored(self) -> str:
        """What the first method stores."""
        return self.methods[0].stored


def accounts(session: Session, name: str, *, all_hosts: bool) -> list[Account]:
    """Return the accounts to change.

    Raises UserMissing, AmbiguousAccount if there are several and ``all_hosts`` does not say that
    they are all meant, and MissingPrivilege if the login may not look.
    """
    found = find(session, name)
    if not found:
        raise UserMissing(f"There is no account {name} on {session.server}: create it.")
    if len(found) > 1 and not all_hosts:
        named = ", ".join(account.sql for account in found)
        raise AmbiguousAccount(
            f"{session.server} has several accounts of that name ({named}). Drop those that "
            "nobody uses, or tag the secret rekey:hosts = all to change them all."
        )
    return found


def find(session: Session, name: str) -> list[Account]:
    """Return all accounts of that name, letter by letter; MissingPrivilege says what to grant."""
    try:
        return _mariadb(session, name) if session.mariadb else _mysql(session, name)
    except MissingPrivilege:
        table = "global_priv" if session.mariadb else "user"
        login = quoting.account(session.login_name, session.login_host)
        failure = MissingPrivilege(
            f"The login {session.login_name} may not see which accounts there are: "
            f"GRANT SELECT ON mysql.{table} TO {login}."
        )
    raise failure


def _mysql(session: Session, name: str) -> list[Account]:
    rows = session.run(
        "SELECT user, host, plugin, authentication_string, account_locked,"
        " JSON_UNQUOTE(JSON_EXTRACT(user_attributes, '$.additional_password'))"
        " FROM mysql.user WHERE BINARY user = BINARY %s ORDER BY host",
        name,
    )
    return [
        Account(user, host, (Method(plugin, stored or ""),), second or None, locked == "Y")
        for user, host, plugin, stored, locked, second in rows
    ]


def _mariadb(session: Session, name: str) -> list[Account]:
    rows = session.run(
        "SELECT user, host, priv FROM mysql.global_priv WHERE BINARY user = BINARY %s"
        " ORDER BY host",
        name,
    )
    documents = [(user, host, json.loads(priv)) for user, host, priv in rows]
    return [
        Account(user, host, _methods(document), locked=bool(document.get(MARIADB_LOCKED)))
        for user, host, document in documents
        if not document.get("is_role")
    ]


def _methods(document: Mapping[str, Any]) -> tuple[Method, ...]:
    """Read ``auth_or``: its empty object stands for the method beside it."""
    beside = Method(
        document.get("plugin", "mysql_native_password"), document.get("authentication_string", "")
    )
    return tuple(
        Method(other["plugin"], other.get("authentication_string", "")) if other else beside
        for other in document.get("auth_or", [{}])
    )
