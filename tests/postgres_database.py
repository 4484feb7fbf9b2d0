"""A user of its own on a PostgreSQL server. See tests/database.py."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from pg8000.native import DatabaseError, literal

from local.postgres import Postgres
from local.postgres_address import PostgresAddress
from rekey.engines.postgresql import PostgresqlEngine
from rekey.engines.sealed import Sealed
from tests.database import Server, new_password

REFUSED = "28P01"


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
        return Sealed(PostgresqlEngine(lambda: self.address.context))

    @property
    def own(self) -> Postgres:
        if not isinstance(self.address, Postgres):
            pytest.skip("the server at this address may not be stopped, nor its log be read")
        return self.address

    def create_user(self, name: str, password: str) -> None:
        self.execute(f"CREATE ROLE {name} LOGIN PASSWORD {literal(password)}")

    def change_password(self, name: str, password: str) -> None:
        # One message, so one transaction.
        self.execute(
            f"SET LOCAL lock_timeout = '200ms'; ALTER ROLE \"{name}\" PASSWORD {literal(password)}"
        )

    def drop_users(self, *names: str) -> None:
        wanted = ", ".join(map(literal, names))
        rows = self.execute(f"SELECT rolname FROM pg_roles WHERE rolname IN ({wanted})")
        if rows:
            found = ", ".join(row[0] for row in rows)
            self.execute(f"DROP OWNED BY {found} CASCADE", f"DROP ROLE {found}")

    def query(self, username: str, password: str, *statements: str) -> list[list[Any]]:
        with self.address.connect(username, password) as connection:
            return self.address.run(connection, *statements)

    @staticmethod
    def refuses(error: Exception) -> bool:
        return isinstance(error, DatabaseError) and error.args[0].get("C") == REFUSED


@contextmanager
def fresh_user(postgres: PostgresAddress) -> Iterator[PostgresServer]:
    """A user that the test may do anything with, and that is gone afterwards with its clone."""
    server = PostgresServer(postgres, f"app_{secrets.token_hex(4)}", new_password())
    server.create_user(server.base, server.password)
    yield server
    server.drop_users(server.clone, server.base)
