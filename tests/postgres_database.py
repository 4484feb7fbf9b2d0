"""A user of its own on a PostgreSQL server. See tests/database.py."""

import secrets
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from pg8000.native import literal

from local.postgres import Postgres
from local.postgres_address import PostgresAddress
from rekey.engines.postgresql import PostgresqlEngine
from rekey.engines.sealed import Sealed
from tests.database import Server, new_password


@dataclass
class PostgresServer(Server):
    """See Server."""

    address: PostgresAddress

    @property
    def postgres(self) -> PostgresAddress:
        return self.address

    @property
    def kind(self) -> str:
        return "postgres"

    @property
    def engine(self) -> Sealed:
        ca = str(self.address.ca_file)
        return Sealed(PostgresqlEngine(lambda: ssl.create_default_context(cafile=ca)))

    @property
    def own(self) -> Postgres:
        if not isinstance(self.address, Postgres):
            pytest.skip("the server at this address may not be stopped, nor its log be read")
        return self.address

    def create_user(self, name: str, password: str) -> None:
        self.execute(f"CREATE ROLE {name} LOGIN PASSWORD {literal(password)}")

    def change_password(self, name: str, password: str) -> None:
        self.execute(
            "SET lock_timeout = '200ms'", f'ALTER ROLE "{name}" PASSWORD {literal(password)}'
        )

    def drop_users(self, *names: str) -> None:
        for name in names:
            if self.execute(f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'"):
                self.execute(f"DROP OWNED BY {name} CASCADE", f"DROP ROLE {name}")

    def query(self, username: str, password: str, *statements: str) -> list[list[Any]]:
        with self.address.connect(username, password) as connection:
            return [connection.run(statement) or [] for statement in statements][-1]


@contextmanager
def fresh_user(postgres: PostgresAddress) -> Iterator[PostgresServer]:
    """A user that the test may do anything with, and that is gone afterwards with its clone."""
    server = PostgresServer(postgres, f"app_{secrets.token_hex(4)}", new_password())
    server.create_user(server.base, server.password)
    yield server
    server.drop_users(server.clone, server.base)
