"""A user of its own on a server that tests share, and the engine that reaches it.

One implementation for each kind of server: tests/postgres_database.py, tests/mysql_database.py.
"""

import json
import secrets
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rekey.credential import Credential
from rekey.engines.sealed import Sealed
from rekey.errors import CredentialsRejected
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

    def execute(self, *statements: str) -> list[Any]:
        """Run the statements as the superuser, each by itself; the rows of the last one."""
        ...


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
        return self.address.execute(*statements)

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
            self.connect(username, password).close()
        except CredentialsRejected:
            return False
        return True
