"""A user of its own on a server that tests share, and the engine that reaches it.

One implementation for each kind of server: tests/postgres_database.py, tests/mysql_database.py.
"""

import json
import secrets
import ssl
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rekey.credential import Credential
from rekey.engines.sealed import Sealed
from rekey.model import Deadline
from rekey.ports import Connection, PeerChange


def new_password() -> str:
    return secrets.token_urlsafe(24)


class Address(Protocol):
    """Where a server is, and who may do anything there."""

    host: str
    port: int
    superuser: str
    password: str
    ca_file: Path

    @property
    def context(self) -> ssl.SSLContext:
        """Trusts the CA."""
        ...

    def connect(self, user: str | None = None, password: str | None = None) -> Any:
        """Log in; as the superuser if nobody else is named."""
        ...

    def run(self, connection: Any, *statements: str) -> list[Any]:
        """Run the statements, each by itself; the rows of the last one."""
        ...

    def execute(self, *statements: str) -> list[Any]:
        """Run them as the superuser, on a connection of their own."""
        ...


@dataclass
class Standing:
    """A login of the superuser for many statements; a new one where the server has ended it."""

    address: Address
    _connection: Any = None

    def execute(self, *statements: str) -> list[Any]:
        """Run the statements, each by itself; the rows of the last one."""
        if self._connection is not None and not self._answers():
            self.close()
        if self._connection is None:
            self._connection = self.address.connect()
        return self.address.run(self._connection, *statements)

    def _answers(self) -> bool:
        try:
            self.address.run(self._connection, "SELECT 1")
        except Exception:  # noqa: BLE001 - whatever the driver raises, it is of no use
            return False
        return True

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # The server ended it first.
                connection.close()


class Own(Protocol):
    """A server that this run has started, and may stop."""

    def stop(self) -> None: ...

    def start(self) -> None: ...

    def restart(self) -> None: ...

    def logs(self) -> dict[str, bytes]:
        """All that the server has written, by the name of the file."""
        ...


@dataclass
class Server(ABC):
    """A running server, one fresh user on it, and the engine that trusts its CA."""

    address: Address
    base: str
    password: str
    _standing: Standing | None = field(default=None, init=False)

    @property
    @abstractmethod
    def kind(self) -> str:
        """What the secret's key ``engine`` says."""

    @property
    @abstractmethod
    def engine(self) -> Sealed:
        """The engine, trusting this server's CA."""

    @property
    @abstractmethod
    def own(self) -> Own:
        """The server, if this run has started it; else the test is left out."""

    @abstractmethod
    def create_user(self, name: str, password: str) -> None:
        """Create a user that may log in, and nothing else."""

    @abstractmethod
    def change_password(self, name: str, password: str) -> None:
        """Change a password as an operator does, behind the secret's back."""

    @abstractmethod
    def drop_users(self, *names: str) -> None:
        """Drop those of these users that there are, with all that they own."""

    @abstractmethod
    def query(self, username: str, password: str, *statements: str) -> list[list[Any]]:
        """Run statements as an application would, on one connection; rows of the last."""

    @property
    def clone(self) -> str:
        return f"{self.base}_clone"

    def execute(self, *statements: str) -> list[Any]:
        """Run statements as the server's superuser; rows of the last one."""
        return (self._standing or self.address).execute(*statements)

    @contextmanager
    def one_login(self) -> Iterator[None]:
        """Within the block, `execute` keeps its connection, and what is set there."""
        self._standing = Standing(self.address)
        try:
            yield
        finally:
            self._standing.close()
            self._standing = None

    def logs(self) -> dict[str, bytes]:
        """All that the server has written; the test is left out where it cannot be read."""
        return self.own.logs()

    def document(self, username: str, password: str, **keys: Any) -> dict[str, Any]:
        """A secret's value."""
        return {
            "engine": self.kind,
            "host": self.address.host,
            "port": self.address.port,
            "username": username,
            "password": password,
            **keys,
        }

    def credential(self, username: str, password: str, **keys: Any) -> Credential:
        value = json.dumps(self.document(username, password, **keys))
        return Credential.parse(value, what="AWSCURRENT")

    def connect(self, username: str, password: str, **keys: Any) -> Connection:
        return self.engine.connect(self.credential(username, password, **keys), Deadline.after(20))

    def superuser(self, **keys: Any) -> Connection:
        return self.connect(self.address.superuser, self.address.password, **keys)

    def provide(self, pending: str, password: str) -> None:
        with self.superuser() as connection:
            connection.provide_peer(PeerChange(self.base, self.clone, pending, password))

    def logs_in(self, username: str, password: str) -> bool:
        """Tell whether the server takes the login."""
        try:
            self.address.connect(username, password).close()
        except Exception as error:
            if self.refuses(error):
                return False
            raise
        return True

    @staticmethod
    @abstractmethod
    def refuses(error: Exception) -> bool:
        """Whether the driver's error says that user name or password are wrong, or expired."""
