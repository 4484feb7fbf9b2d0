"""Fixtures of tests that need real servers."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pg8000.native import literal

from local.postgres import Postgres
from local.postgres_address import PostgresAddress
from tests.database import Server, new_password


@contextmanager
def fresh_user(postgres: PostgresAddress) -> Iterator[Server]:
    """A user that the test may do anything with, and that is gone afterwards with its clone."""
    base, password = f"app_{secrets.token_hex(4)}", new_password()
    postgres.execute(f"CREATE ROLE {base} LOGIN PASSWORD {literal(password)}")
    yield Server(postgres, base, password)
    for name in (f"{base}_clone", base):
        if postgres.execute(f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'"):
            postgres.execute(f"DROP OWNED BY {name} CASCADE", f"DROP ROLE {name}")


@pytest.fixture
def server(postgres: Postgres) -> Iterator[Server]:
    with fresh_user(postgres) as server:
        yield server
