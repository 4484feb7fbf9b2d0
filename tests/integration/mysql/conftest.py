"""Both servers, and a fresh account on each."""

from collections.abc import Iterator

import pytest

from tests.integration.mysql.account import Account, Running


def fresh(running: Running, *, mariadb: bool) -> Iterator[Account]:
    account = Account(running, mariadb)
    account.create()
    yield account
    account.drop()


@pytest.fixture(params=["mysql", "mariadb"])
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    yield from fresh(request.getfixturevalue(request.param), mariadb=request.param == "mariadb")


@pytest.fixture
def mysql_account(mysql: Running) -> Iterator[Account]:
    yield from fresh(mysql, mariadb=False)


@pytest.fixture
def mariadb_account(mariadb: Running) -> Iterator[Account]:
    yield from fresh(mariadb, mariadb=True)
