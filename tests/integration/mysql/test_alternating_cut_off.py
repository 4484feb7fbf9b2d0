"""Alternating users: the connection ends between any two statements, and the step is repeated."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.mysql.account import Account, setting
from tests.integration.mysql.alternating import Users, database, try_cut_off

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
