"""A server that is too old is told as such before anything is asked of it."""

from collections.abc import Callable

import pytest

from rekey.engines.mysql import dual, own, preconditions
from rekey.engines.mysql.session import Session
from rekey.errors import UnsupportedStrategy


class Old(Session):
    """A session on a server of this version, of which nothing may be asked."""

    def __init__(self, *version: int, mariadb: bool = False) -> None:
        self.server, self.version, self.mariadb = "db:3306", version, mariadb
        self.login_name, self.login_host, self.read_only = "app", "%", False

    def run(self, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        raise AssertionError(f"{statement} {parameters}")


def set_by_itself(session: Session) -> None:
    own.set_password(session, "app", "x", all_hosts=False)


def try_by_itself(session: Session) -> None:
    own.check(session, all_hosts=False)


def set_by_a_superuser(session: Session) -> None:
    own.set_password(session, "other", "x", all_hosts=False)


def try_two_passwords(session: Session) -> None:
    dual.check(session, "app", all_hosts=False)


CASES: dict[Callable[[Session], None], str] = {
    set_by_itself: "single-user needs MySQL 8.0.19 or newer",
    try_by_itself: "single-user needs MySQL 8.0.19 or newer",
    set_by_a_superuser: "needs MySQL 8.0.17 or newer",
    try_two_passwords: "need MySQL 8.0.17 or newer",
}


@pytest.mark.parametrize("version", [(5, 7, 44), (8, 0, 16)])
@pytest.mark.parametrize("act", CASES)
def test_an_old_mysql_is_told_with_the_version_that_is_needed(
    act: Callable[[Session], None], version: tuple[int, ...]
) -> None:
    with pytest.raises(UnsupportedStrategy, match=CASES[act]) as raised:
        act(Old(*version))
    assert "upgrade it." in str(raised.value)


@pytest.mark.parametrize("act", [set_by_itself, try_by_itself])
def test_single_user_needs_a_newer_mysql_than_the_other_strategies(
    act: Callable[[Session], None],
) -> None:
    with pytest.raises(UnsupportedStrategy, match=r"8\.0\.19"):
        act(Old(8, 0, 18))


def test_an_old_mariadb_may_still_take_single_user() -> None:
    with pytest.raises(UnsupportedStrategy, match="rekey:strategy = single-user"):
        try_two_passwords(Old(10, 3, 39, mariadb=True))
    preconditions.check_mysql(Old(10, 3, 39, mariadb=True), (8, 0, 19), "single-user needs")


def test_a_mysql_that_hides_its_version_is_asked() -> None:
    preconditions.check_mysql(Old(0, 0, 0), (8, 0, 19), "single-user needs")
