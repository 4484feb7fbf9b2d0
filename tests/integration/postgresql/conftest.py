"""Every PostgreSQL that can be had: the packaged one, Debian's, and one at an address."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from local import postgres_installations
from local.postgres import Postgres
from local.postgres_address import PostgresAddress
from tests.postgres_database import PostgresServer, fresh_user

ADDRESS = os.environ.get("REKEY_POSTGRES_URL", "")
CA_FILE = os.environ.get("REKEY_POSTGRES_CA", "")
INSTALLED = {
    f"debian-{version}": folder for version, folder in postgres_installations.debian().items()
}
NAMES = ["packaged", *INSTALLED, *(["address"] if ADDRESS else [])]


def at_address() -> PostgresAddress:
    """The server of REKEY_POSTGRES_URL=postgresql://superuser:password@host:port."""
    url = urlsplit(ADDRESS)
    return PostgresAddress(
        url.hostname or "",
        url.port or 5432,
        unquote(url.username or "postgres"),
        unquote(url.password or ""),
        Path(CA_FILE),
    )


@pytest.fixture(scope="session", params=NAMES)
def each_postgres(request: pytest.FixtureRequest) -> Iterator[PostgresAddress]:
    if request.param == "address":
        yield at_address()
        return
    if request.param == "packaged":
        yield request.getfixturevalue("postgres")
        return
    with Postgres(binaries=INSTALLED[request.param]) as running:
        yield running


@pytest.fixture
def server(each_postgres: PostgresAddress) -> Iterator[PostgresServer]:
    with fresh_user(each_postgres) as server:
        yield server
