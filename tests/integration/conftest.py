"""Fixtures of tests that need real servers."""

import secrets
from collections.abc import Iterator

import pytest
from pg8000.native import literal

from local.postgres import Postgres
from tests.database import Server, new_password


@pytest.fixture
def server(postgres: Postgres) -> Iterator[Server]:
    base, password = f"app_{secrets.token_hex(4)}", new_password()
    postgres.execute(f"CREATE ROLE {base} LOGIN PASSWORD {literal(password)}")
    yield Server(postgres, base, password)
    for name in (f"{base}_clone", base):
        if postgres.execute(f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'"):
            postgres.execute(f"DROP OWNED BY {name} CASCADE", f"DROP ROLE {name}")
