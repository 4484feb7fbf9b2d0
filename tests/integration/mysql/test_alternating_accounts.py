"""Alternating users: hosts, plugins, limits, routines, and what AWS's templates get wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rekey import errors
from rekey.engines.mysql import hashes
from tests.integration.mysql.account import Account, new_password, quoted, setting
from tests.integration.mysql.alternating import Users, database

LIMITS = (
    "REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 1001 MAX_UPDATES_PER_HOUR 1002"
    " MAX_CONNECTIONS_PER_HOUR 1003 MAX_USER_CONNECTIONS 104 PASSWORD EXPIRE INTERVAL 9 DAY"
)
NONE = (
    "REQUIRE NONE WITH MAX_QUERIES_PER_HOUR 0 MAX_UPDATES_PER_HOUR 0 MAX_CONNECTIONS_PER_HOUR 0"
    " MAX_USER_CONNECTIONS 0 PASSWORD EXPIRE NEVER"
)
CERTIFICATE = "REQUIRE ISSUER '/CN=a''b' AND SUBJECT '/CN=x' AND CIPHER 'c'"
MYSQL_LIMITS = (
    "FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME UNBOUNDED PASSWORD HISTORY 3"
    " PASSWORD REUSE INTERVAL 4 DAY PASSWORD REQUIRE CURRENT OPTIONAL"
)


@pytest.fixture
def users(account: Account) -> Users:
    return Users(account)


@pytest.fixture
def mysql_users(mysql_account: Account) -> Users:
    return Users(mysql_account)


@contextmanager
def moved(users: Users, host: str) -> Iterator[None]:
    """The base user's account is for this host and no other."""
    users.execute(f"RENAME USER {users.sql(users.base)} TO {users.base}@'{host}'")
    users.host = host
    yield


def hosts(users: Users, user: str) -> list[str]:
    rows = users.execute(f"SELECT host FROM mysql.user WHERE user = '{user}' ORDER BY host")
    return [row[0] for row in rows]


def test_the_clone_is_for_the_base_user_s_host(users: Users) -> None:
    with moved(users, "127.0.0.1"):
        users.execute(f"GRANT PROCESS ON *.* TO {users.sql(users.base)}")
        users.provide(users.clone)
        assert hosts(users, users.clone) == ["127.0.0.1"]
        users.check_equal()
        assert users.logs_in(users.clone)
        users.provide(users.base)
        assert users.logs_in(users.base)


def test_every_account_of_the_name_gets_its_clone_if_the_tag_says_so(users: Users) -> None:
    there = f"{users.base}@'10.0.0.%'"
    users.execute(
        f"CREATE USER {there} IDENTIFIED BY {quoted(users.account.password)}",
        f"GRANT PROCESS ON *.* TO {there}",
        f"GRANT RELOAD ON *.* TO {users.sql(users.base)}",
    )
    users.provide(users.clone, all_hosts=True)
    assert hosts(users, users.clone) == ["%", "10.0.0.%"]
    users.check_equal()
    assert users.logs_in(users.clone)
    users.host = "10.0.0.%"
    users.check_equal()
    assert users.told(users.clone) != frozenset()
    users.provide(users.base, all_hosts=True)
    assert users.logs_in(users.base)


@pytest.mark.parametrize("limits", [LIMITS, CERTIFICATE, "ACCOUNT LOCK"])
def test_limits_come_along_and_go_again(users: Users, limits: str) -> None:
    base = users.sql(users.base)
    users.execute(f"ALTER USER {base} {limits}")
    if not users.account.mariadb:
        users.execute(f"ALTER USER {base} {MYSQL_LIMITS}")
    users.provide(users.clone)
    told = users.created(users.base)
    assert users.created(users.clone) == told
    users.execute(f"ALTER USER {base} {NONE} ACCOUNT UNLOCK")
    users.provide(users.clone)
    assert users.created(users.clone) == users.created(users.base) != told
    assert users.logs_in(users.clone)


def test_a_clone_that_is_locked_expired_or_has_two_passwords_is_put_right(users: Users) -> None:
    clone, old = users.sql(users.clone), new_password()
    users.provide(users.clone, password=old)
    users.execute(f"ALTER USER {clone} ACCOUNT LOCK", f"ALTER USER {clone} PASSWORD EXPIRE")
    between = new_password()
    if not users.account.mariadb:
        users.execute(f"ALTER USER {clone} IDENTIFIED BY '{between}' RETAIN CURRENT PASSWORD")
    users.provide(users.clone)
    assert users.logs_in(users.clone)
    assert not users.account.logs_in(old, users.clone)
    assert not users.account.logs_in(between, users.clone)


def test_the_plugin_of_the_base_user_is_the_clone_s(mysql_users: Users) -> None:
    users = mysql_users
    users.execute(
        f"ALTER USER {users.sql(users.base)} IDENTIFIED WITH {hashes.SHA256} BY"
        f" {quoted(users.account.password)}"
    )
    users.provide(users.clone)
    plugins = users.execute(f"SELECT plugin FROM mysql.user WHERE user = '{users.clone}'")
    assert plugins == [(hashes.CACHING_SHA2,)]
    assert users.logs_in(users.clone)


@pytest.mark.parametrize("pending", ["base", "clone"])
def test_a_routine_that_the_clone_defined_is_there_for_both(users: Users, pending: str) -> None:
    with (
        database(users, f"{users.base}_data") as data,
        setting(users.account, "log_bin_trust_function_creators", "ON"),
    ):
        users.execute(f"GRANT CREATE ROUTINE ON {data}.* TO {users.sql(users.base)}")
        users.provide(users.clone)
        users.ask(users.clone, f"CREATE FUNCTION {data}.Mine() RETURNS INT DETERMINISTIC RETURN 7")
        users.ask(users.base, f"CREATE FUNCTION {data}.Theirs() RETURNS INT DETERMINISTIC RETURN 8")
        users.provide(getattr(users, pending))
        users.check_equal()
        for user in (users.base, users.clone):
            assert users.ask(user, f"SELECT {data}.mine() + {data}.theirs()") == "15"


def test_a_right_on_a_routine_that_somebody_granted_to_the_clone_is_taken(users: Users) -> None:
    with database(users, f"{users.base}_data") as data:
        users.provide(users.clone)
        users.execute(
            f"CREATE FUNCTION {data}.f() RETURNS INT DETERMINISTIC RETURN 7",
            f"GRANT EXECUTE ON FUNCTION {data}.f TO {users.sql(users.clone)}",
        )
        before = users.told(users.base)
        users.provide(users.clone)
        users.check_equal()
        assert users.told(users.base) == before


def test_a_clone_that_the_template_left_without_grants_is_made_complete(users: Users) -> None:
    """AWS's template is cut off after CREATE USER; its retry takes the login for the whole."""
    pending = new_password()
    users.execute(
        f"GRANT PROCESS ON *.* TO {users.sql(users.base)}",
        f"CREATE USER {users.sql(users.clone)} IDENTIFIED BY {quoted(pending)}",
    )
    assert users.account.logs_in(pending, users.clone)
    users.provide(users.clone, password=pending)
    users.check_equal()
    assert users.logs_in(users.clone)


def test_a_clone_that_the_template_made_for_every_host_is_told(users: Users) -> None:
    """AWS's template takes every host for granted."""
    with moved(users, "127.0.0.1"):
        users.execute(f"CREATE USER {users.clone}@'%' IDENTIFIED BY {quoted(new_password())}")
        with pytest.raises(errors.PrivilegesDiffer, match="RENAME USER"):
            users.provide(users.clone)
        users.execute(f"RENAME USER {users.clone}@'%' TO {users.sql(users.clone)}")
        users.provide(users.clone)
        users.check_equal()
