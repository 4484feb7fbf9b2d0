"""A MySQL that is too old for a single user stops the test rotation, not the first real one."""

from collections.abc import Iterator

import pytest

from local.mysql_address import MysqlAddress
from rekey.errors import UnsupportedStrategy
from rekey.model import Outcome, Step
from tests.mysql_database import fresh_account
from tests.world import World


@pytest.fixture
def single_mysql(mysql: MysqlAddress) -> Iterator[World]:
    with fresh_account(mysql) as server:
        yield World(server)


def test_a_test_rotation_of_a_single_user_tells_of_a_mysql_that_is_too_old(
    single_mysql: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert single_mysql.step(Step.TEST, single_mysql.start()).outcome is Outcome.DONE
    monkeypatch.setattr("rekey.engines.mysql.session.version_of", lambda _: (5, 7, 44))
    with pytest.raises(UnsupportedStrategy, match=r"8\.0\.19"):
        single_mysql.step(Step.TEST, single_mysql.start())


def test_a_rotation_on_it_changes_nothing(
    single_mysql: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rekey.engines.mysql.session.version_of", lambda _: (5, 7, 44))
    token = single_mysql.start()
    single_mysql.step(Step.CREATE, token)
    with pytest.raises(UnsupportedStrategy, match=r"8\.0\.19"):
        single_mysql.step(Step.SET, token)
    server = single_mysql.server
    assert server.logs_in(server.base, server.password)
