"""A user of its own on the shared PostgreSQL server, and the engine that reaches it."""

import json
import secrets
import ssl
from dataclasses import dataclass
from typing import Any

import pytest

from local.postgres import Postgres
from local.postgres_address import PostgresAddress
from rekey.credential import Credential
from rekey.engines.postgresql import PostgresqlEngine
from rekey.engines.sealed import Sealed
from rekey.errors import CredentialsRejected
from rekey.model import Deadline
from rekey.ports import Connection, PeerChange


def new_password() -> str:
    return secrets.token_urlsafe(24)


@dataclass
class Server:
    """A running server, one fresh user on it, and the engine that trusts its CA."""

    postgres: PostgresAddress
    base: str
    password: str

    @property
    def own(self) -> Postgres:
        """The server, if it is one that this run has started and may stop."""
        if not isinstance(self.postgres, Postgres):
            pytest.skip("the server at this address may not be stopped, nor its log be read")
        return self.postgres

    @property
    def clone(self) -> str:
        return f"{self.base}_clone"

    @property
    def engine(self) -> Sealed:
        ca = str(self.postgres.ca_file)
        return Sealed(PostgresqlEngine(lambda: ssl.create_default_context(cafile=ca)))

    def credential(self, username: str, password: str, **keys: Any) -> Credential:
        document = {
            "engine": "postgres",
            "host": self.postgres.host,
            "port": self.postgres.port,
            "username": username,
            "password": password,
            **keys,
        }
        return Credential.parse(json.dumps(document), what="AWSCURRENT")

    def connect(self, username: str, password: str, **keys: Any) -> Connection:
        return self.engine.connect(self.credential(username, password, **keys), Deadline.after(20))

    def superuser(self, **keys: Any) -> Connection:
        return self.connect(self.postgres.superuser, self.postgres.password, **keys)

    def provide(self, pending: str, password: str) -> None:
        with self.superuser() as connection:
            connection.provide_peer(PeerChange(self.base, self.clone, pending, password))

    def query(self, username: str, password: str, *statements: str) -> list[list[Any]]:
        """Run statements as an application would, on one connection; rows of the last."""
        with self.postgres.connect(username, password) as connection:
            return [connection.run(statement) or [] for statement in statements][-1]

    def logs_in(self, username: str, password: str) -> bool:
        """Tell whether the server takes the login."""
        try:
            self.connect(username, password).close()
        except CredentialsRejected:
            return False
        return True
