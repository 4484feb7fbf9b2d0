"""Clients without TLS, which MySQL lets in as long as it has their password in its cache.

They ask for no key of the server to send the password with: many drivers refuse to, as that key may
be anybody's. A change of the user's passwords empties the cache.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pymysql
import pytest
from pymysql._auth import _roundtrip  # type: ignore[attr-defined]  # the stubs leave it out

from local.mysql_address import MysqlAddress
from rekey.model import Label, Outcome, Step, WorkflowStep
from tests.integration.rotation.two_passwords import STRATEGY_TAG, DualWorld
from tests.mysql_database import fresh_account
from tests.world import ARN, World

ASKS_FOR_THE_KEY = b"\x02"


class NotInCache(Exception):
    """The server wants the whole password, and no login over TLS has given it."""


@pytest.fixture
def mysql_dual(mysql: MysqlAddress) -> Iterator[DualWorld]:
    before = mysql.execute("SELECT @@require_secure_transport")[0][0]
    mysql.execute("SET GLOBAL require_secure_transport = OFF")
    with fresh_account(mysql) as server:
        yield DualWorld(World(server, alternating=True))
    mysql.execute(f"SET GLOBAL require_secure_transport = {before}")


@pytest.fixture
def let_in(mysql_dual: DualWorld, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], bool]:
    """Tell whether a client without TLS is let in with the password of a version."""

    def asks_for_no_key(connection: object, data: bytes) -> Any:
        if data == ASKS_FOR_THE_KEY:
            raise NotInCache
        return _roundtrip(connection, data)

    monkeypatch.setattr("pymysql._auth._roundtrip", asks_for_no_key)
    address = mysql_dual.world.server.address

    def is_let_in(version: str) -> bool:
        try:
            pymysql.connect(
                host=address.host,
                port=address.port,
                user=mysql_dual.user,
                password=mysql_dual.password(version),
                ssl_disabled=True,
            ).close()
        except NotInCache:
            return False
        return True

    return is_let_in


def test_the_server_lets_them_in_after_a_login_over_tls_and_no_sooner(
    mysql_dual: DualWorld, let_in: Callable[[str], bool]
) -> None:
    assert not let_in("v1")
    assert mysql_dual.alive("v1") == [True]
    assert let_in("v1")


def test_current_lets_them_in_after_every_step_and_so_does_the_new_password_once_it_is_tested(
    mysql_dual: DualWorld, let_in: Callable[[str], bool]
) -> None:
    assert mysql_dual.alive("v1") == [True]
    token = mysql_dual.world.start()
    for step in Step:
        mysql_dual.run(token, step)
        assert let_in("v1"), step
    assert let_in(token)
    mysql_dual.world.store.end_rotation(ARN)
    assert mysql_dual.retire().outcome is Outcome.RETIRED
    assert let_in(token)


def test_an_attempt_after_one_that_was_cut_off_behind_the_change_lets_them_in(
    mysql_dual: DualWorld, let_in: Callable[[str], bool]
) -> None:
    token = mysql_dual.world.start()
    mysql_dual.run(token, Step.CREATE)
    mysql_dual.change_by_hand(mysql_dual.password(token), besides=mysql_dual.password("v1"))
    assert not let_in("v1")
    mysql_dual.run(token, Step.SET)
    assert let_in("v1")


def test_the_former_password_lets_them_in_after_a_roll_back(
    mysql_dual: DualWorld, let_in: Callable[[str], bool]
) -> None:
    token = mysql_dual.world.rotate()
    mysql_dual.retire()
    mysql_dual.world.step(WorkflowStep.ROLL_BACK, token)
    assert mysql_dual.version(Label.CURRENT) == "v1"
    assert let_in("v1")


def test_current_lets_them_in_when_the_strategy_has_changed_to_alternating_users(
    mysql_dual: DualWorld, let_in: Callable[[str], bool]
) -> None:
    current = mysql_dual.world.rotate()
    mysql_dual.tags[STRATEGY_TAG] = "alternating-users"
    token = mysql_dual.world.start()
    mysql_dual.run(token, Step.CREATE, Step.SET)
    assert let_in(current)
