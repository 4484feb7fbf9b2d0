"""Alternating users: the connection ends between any two statements, and the step is repeated."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import pytest

from rekey import errors
from tests.integration.mysql.account import Account, new_password, setting
from tests.integration.mysql.alternating import Users, cut, database, try_cut_off
from tests.integration.rotation.at_once import at_once

MOST = 40


@contextmanager
def eventful(users: Users) -> Iterator[None]:
    """A base user with rights of every kind."""
    base, role = users.sql(users.base), f"{users.base}_role"
    start = f"SET DEFAULT ROLE {role} {'FOR' if users.account.mariadb else 'TO'} {base}"
    with database(users, f"{users.base}_data", "t", "u") as data:
        users.execute(
            f"CREATE ROLE {role}",
            f"GRANT {role} TO {base}",
            start,
            f"GRANT RELOAD ON *.* TO {base} WITH GRANT OPTION",
            f"GRANT SELECT, CREATE ROUTINE ON {data}.* TO {base}",
            f"GRANT INSERT (a), DELETE ON {data}.t TO {base}",
            f"ALTER USER {base} REQUIRE SSL",
        )
        yield
        users.execute(f"DROP ROLE {role}")


@pytest.fixture
def users(account: Account) -> Iterator[Users]:
    users = Users(account)
    with setting(account, "log_bin_trust_function_creators", "ON"), eventful(users):
        yield users


def test_while_the_clone_is_made(users: Users) -> None:
    for after in range(MOST):
        users.execute(f"DROP USER IF EXISTS {users.sql(users.clone)}")
        if not try_cut_off(users, users.clone, after):
            break
    assert 5 < after < MOST


def test_while_the_clone_is_made_equal_again(users: Users) -> None:
    clone, data = users.sql(users.clone), f"{users.base}_data"
    users.provide(users.clone)
    for after in range(MOST):
        users.execute(
            f"GRANT RELOAD, SHOW DATABASES, GRANT OPTION ON *.* TO {clone}",
            f"GRANT DELETE, UPDATE ON {data}.u TO {clone} WITH GRANT OPTION",
            f"REVOKE INSERT (a) ON {data}.t FROM {clone}",
            f"REVOKE {users.base}_role FROM {clone}",
        )
        users.ask(users.clone, f"CREATE FUNCTION {data}.f{after}() RETURNS INT NO SQL RETURN 1")
        if not try_cut_off(users, users.clone, after):
            break
    assert 5 < after < MOST


def test_while_the_base_user_is_rotated_to(users: Users) -> None:
    users.provide(users.clone)
    base, data = users.sql(users.base), f"{users.base}_data"
    for after in range(MOST):
        users.ask(users.clone, f"CREATE FUNCTION {data}.f{after}() RETURNS INT NO SQL RETURN 1")
        users.execute(f"CREATE TABLE {data}.t{after} (a INT)")
        users.execute(f"GRANT INSERT ON {data}.t{after} TO {base}")
        if not try_cut_off(users, users.base, after):
            break
    assert 2 < after < MOST


def test_while_the_clone_in_use_gets_a_right_with_a_restriction(mysql_account: Account) -> None:
    """It never has more than the base user, which would stop the next attempt."""
    users = Users(mysql_account)
    base, clone = (users.sql(user) for user in (users.base, users.clone))
    with setting(mysql_account, "partial_revokes", "ON"):
        users.provide(users.clone)
        for after in range(MOST):
            users.execute(
                f"GRANT SELECT, INSERT, RELOAD ON *.* TO {base}",
                f"REVOKE SELECT ON shop.* FROM {base}",
            )
            with cut(after) as cutting, suppress(errors.DatabaseUnreachable):
                users.provide(users.base)
            try:
                users.provide(users.base)
                users.check_equal()
            finally:
                users.execute(*(f"REVOKE ALL ON *.* FROM {user}" for user in (base, clone)))
            if not cutting.happened:
                break
    assert 1 < after < MOST


def test_a_clone_that_is_not_complete_lets_nobody_in(users: Users) -> None:
    with cut(1), pytest.raises(errors.DatabaseUnreachable):
        users.provide(users.clone)
    assert "ACCOUNT LOCK" in users.created(users.clone)


def test_two_attempts_at_once_end_like_one(users: Users) -> None:
    password = new_password()
    again = partial(users.provide, users.clone, password=password)
    raised = at_once(again, again)
    assert [error for error in raised if not isinstance(error, errors.LockTimeout)] == []
    assert len(raised) < 2
    users.check_equal()
    assert users.logs_in(users.clone)
