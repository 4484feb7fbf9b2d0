"""A user of its own on a running MySQL or MariaDB, and the engine that reaches it."""

import json
import secrets
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rekey.credential import Credential
from rekey.engines.mysql import MysqlEngine
from rekey.engines.mysql.session import Session
from rekey.engines.sealed import Sealed
from rekey.errors import LoginError
from rekey.model import Deadline
from rekey.ports import Connection, OnePassword, TwoPasswords


class Running(Protocol):
    """What a test needs of a server."""

    host: str
    port: int
    superuser: str
    password: str
    ca_file: Path

    def execute(self, *statements: str) -> list[Any]: ...

    def connect(self, user: str | None = None, password: str | None = None) -> Any: ...


def new_password() -> str:
    return secrets.token_urlsafe(24)


def quoted(text: str) -> str:
    """A literal for the server's own sql_mode, not the engine's."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


@dataclass
class Account:
    """A fresh account ``name``@``%`` and its first password."""

    running: Running
    mariadb: bool
    name: str = field(default_factory=lambda: f"app_{secrets.token_hex(4)}")
    password: str = field(default_factory=new_password)

    def create(self) -> None:
        self.running.execute(f"CREATE USER {self.name}@'%' IDENTIFIED BY {quoted(self.password)}")

    def drop(self) -> None:
        rows = self.running.execute(
            f"SELECT user, host FROM mysql.user WHERE user LIKE '{self.name}%'"
        )
        for user, host in rows:
            self.running.execute(f"DROP USER {quoted(user)}@{quoted(host)}")

    def alter(self, text: str) -> None:
        self.running.execute(f"ALTER USER {self.name}@'%' {text}")

    @property
    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.running.ca_file))

    def credential(self, user: str, password: str, **keys: Any) -> Credential:
        document = {
            "engine": "mysql",
            "host": self.running.host,
            "port": self.running.port,
            "username": user,
            "password": password,
            **keys,
        }
        return Credential.parse(json.dumps(document), what="AWSCURRENT")

    def connect(self, user: str, password: str, **keys: Any) -> Connection:
        engine = Sealed(MysqlEngine(lambda: self.context))
        return engine.connect(self.credential(user, password, **keys), Deadline.after(20))

    def superuser(self) -> Connection:
        return self.connect(self.running.superuser, self.running.password)

    def session(self) -> Session:
        """The superuser's session, under the engine's surface."""
        credential = self.credential(self.running.superuser, self.running.password)
        return Session.open(credential, self.running.port, self.context, Deadline.after(20))

    def logs_in(self, password: str, user: str | None = None) -> bool:
        """Tell whether the server takes the login."""
        try:
            self.connect(user or self.name, password).close()
        except LoginError:
            return False
        return True

    def works(self, *passwords: str) -> list[bool]:
        return [self.logs_in(password) for password in passwords]

    def give_two(self, current: str, pending: str, *, all_hosts: bool = False) -> None:
        with self.superuser() as connection, connection.alone(self.name):
            connection.set_two_passwords(TwoPasswords(self.name, current, pending, all_hosts))

    def retire(self, password: str, *, all_hosts: bool = False) -> None:
        with self.superuser() as connection, connection.alone(self.name):
            connection.retire(OnePassword(self.name, password, all_hosts))

    def set_by_superuser(self, password: str, *, all_hosts: bool = False) -> None:
        with self.superuser() as connection:
            connection.set_password(self.name, password, all_hosts=all_hosts)


@contextmanager
def setting(account: Account, name: str, value: str) -> Iterator[None]:
    """A global setting of the server, and the one before it afterwards."""
    before = account.running.execute(f"SELECT @@global.{name}")[0][0]
    account.running.execute(f"SET GLOBAL {name} = {value}")
    try:
        yield
    finally:
        account.running.execute(
            f"SET GLOBAL {name} = {quoted(before) if isinstance(before, str) else before}"
        )
