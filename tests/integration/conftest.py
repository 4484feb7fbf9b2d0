"""Fixtures of tests that need real servers."""

from collections.abc import Iterator

import pytest

from local.postgres import Postgres
from tests.postgres_database import PostgresServer, fresh_user


@pytest.fixture
def server(postgres: Postgres) -> Iterator[PostgresServer]:
    with fresh_user(postgres) as server:
        yield server
