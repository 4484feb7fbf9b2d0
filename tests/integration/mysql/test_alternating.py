"""Alternating users: the clone gets what the base user has, and only the clone is changed."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rekey.engines.mysql.session import Session
from tests.integration.mysql.account import Account, setting
from tests.integration.mysql.alternating import Users, database

ODD = "o'd`d TO \"x\\ %_,("


@pytest.fixture
def users(account: Account) -> Users:
    return Users(account)


@pytest.fixture
def mysql_users(mysql_account: Account) -> Users:
    return Users(mysql_account)


@contextmanager
def roles(users: Users) -> Iterator[tuple[str, str]]:
    """Two roles with odd names."""
    names = f"`{users.base}' TO 1`", f"`{users.base},2`"
    users.execute(*(f"CREATE ROLE {name}" for name in names))
    yield names
    users.execute(*(f"DROP ROLE {name}" for name in names))


def start_with(users: Users, role: str) -> None:
    preposition = "FOR" if users.account.mariadb else "TO"
    users.execute(f"SET DEFAULT ROLE {role} {preposition} {users.sql(users.base)}")


def test_the_clone_is_made_with_the_rights_of_the_base_user(users: Users) -> None:
    base = users.sql(users.base)
    with database(users, f"{users.base}_data", "t") as data:
        users.execute(
            f"GRANT SELECT, INSERT, CREATE TEMPORARY TABLES ON {data}.* TO {base}",
            f"GRANT UPDATE (a), REFERENCES (B), DELETE ON {data}.t TO {base}",
            f"GRANT PROCESS ON *.* TO {base}",
        )
        users.provide(users.clone)
        users.check_equal()
        assert users.logs_in(users.clone)
        assert users.logs_in(users.base)


def test_names_may_hold_what_statements_are_made_of(users: Users) -> None:
    base = users.sql(users.base)
    with database(users, users.base + ODD) as data:
        users.execute(
            f"CREATE TABLE {data}.`t``' TO x` (`c``)' TO` INT)",
            f"GRANT SELECT ON {data}.* TO {base} WITH GRANT OPTION",
            f"GRANT UPDATE (`c``)' TO`) ON {data}.`t``' TO x` TO {base}",
        )
        users.provide(users.clone)
        users.check_equal()


def test_wildcards_and_backslashes_in_a_database_s_name_stay(users: Users) -> None:
    base = users.sql(users.base)
    users.execute(f"GRANT SELECT ON `{users.base}\\_d%`.* TO {base}")
    users.execute(f"GRANT INSERT ON `{users.base}_d%`.* TO {base}")
    users.provide(users.clone)
    users.check_equal()


def test_what_the_base_user_has_lost_is_taken_from_the_clone(users: Users) -> None:
    base = users.sql(users.base)
    with database(users, f"{users.base}_data", "t") as data, roles(users) as (one, two):
        users.execute(
            f"GRANT SELECT ON {data}.* TO {base} WITH GRANT OPTION",
            f"GRANT UPDATE (a), DELETE ON {data}.t TO {base} WITH GRANT OPTION",
            f"GRANT RELOAD, PROCESS ON *.* TO {base} WITH GRANT OPTION",
            f"GRANT {one} TO {base} WITH ADMIN OPTION",
            f"GRANT {two} TO {base}",
        )
        start_with(users, two)
        users.provide(users.clone)
        users.check_equal()
        users.execute(
            f"REVOKE GRANT OPTION ON {data}.* FROM {base}",
            f"REVOKE UPDATE (a), GRANT OPTION ON {data}.t FROM {base}",
            f"REVOKE RELOAD, GRANT OPTION ON *.* FROM {base}",
            f"REVOKE {one} FROM {base}",
            f"GRANT {one} TO {base}",
            f"REVOKE {two} FROM {base}",
        )
        if users.account.mariadb:
            start_with(users, "NONE")
        before = users.told(users.base)
        users.provide(users.clone)
        users.check_equal()
        assert users.told(users.base) == before


def test_a_default_role_is_one_for_the_clone_too(users: Users) -> None:
    base = users.sql(users.base)
    with roles(users) as (one, two):
        users.execute(f"GRANT {one} TO {base}", f"GRANT {two} TO {base}")
        start_with(users, one)
        users.provide(users.clone)
        assert one.strip("`") in users.ask(users.clone, "SELECT CURRENT_ROLE()")
        start_with(users, "NONE")
        users.provide(users.clone)
        assert "NONE" in users.ask(users.clone, "SELECT CURRENT_ROLE()").upper()


def test_a_default_role_that_was_revoked_stops_nothing(users: Users) -> None:
    base = users.sql(users.base)
    with roles(users) as (one, _):
        users.execute(f"GRANT {one} TO {base}")
        start_with(users, one)
        users.execute(f"REVOKE {one} FROM {base}")
        users.provide(users.clone)
        assert users.logs_in(users.clone)


def test_proxies_come_along_with_their_option(users: Users) -> None:
    base, other = users.sql(users.base), f"`{users.base}' TO`@localhost"
    users.may_grant_proxies()
    users.execute(
        f"CREATE USER {other}",
        f"GRANT PROXY ON {other} TO {base} WITH GRANT OPTION",
        f"GRANT PROXY ON '{users.base}'@'nowhere' TO {base}",
    )
    users.provide(users.clone)
    users.check_equal()
    users.execute(
        f"REVOKE PROXY ON {other} FROM {base}",
        f"REVOKE PROXY ON '{users.base}'@'nowhere' FROM {base}",
        f"GRANT PROXY ON '{users.base}'@'nowhere' TO {base} WITH GRANT OPTION",
    )
    users.provide(users.clone)
    users.check_equal()


def test_privileges_that_a_plugin_or_component_defined_keep_their_own_option(
    mysql_users: Users,
) -> None:
    users, base = mysql_users, mysql_users.sql(mysql_users.base)
    users.execute(
        f"GRANT BACKUP_ADMIN, ROLE_ADMIN ON *.* TO {base} WITH GRANT OPTION",
        f"GRANT SHOW_ROUTINE ON *.* TO {base}",
    )
    users.provide(users.clone)
    users.check_equal()
    users.execute(f"REVOKE GRANT OPTION ON *.* FROM {base}", "FLUSH PRIVILEGES")
    users.provide(users.clone)
    users.check_equal()
    users.execute(
        f"GRANT SELECT ON *.* TO {base} WITH GRANT OPTION",
        "FLUSH PRIVILEGES",
        f"REVOKE BACKUP_ADMIN ON *.* FROM {base}",
        f"GRANT BACKUP_ADMIN ON *.* TO {base}",
    )
    users.provide(users.clone)
    users.check_equal()


def test_partial_revokes_come_along_and_go_again(mysql_users: Users) -> None:
    users, base = mysql_users, mysql_users.sql(mysql_users.base)
    with setting(users.account, "partial_revokes", "ON"):
        users.execute(
            f"GRANT SELECT, INSERT, UPDATE ON *.* TO {base}",
            f"REVOKE SELECT, INSERT ON `{users.base}'x`.* FROM {base}",
            f"GRANT DELETE ON `{users.base}'x`.* TO {base}",
        )
        users.provide(users.clone)
        users.check_equal()
        users.execute(
            f"GRANT SELECT ON `{users.base}'x`.* TO {base}",
            f"REVOKE UPDATE ON `{users.base}'x`.* FROM {base}",
            f"REVOKE DELETE ON `{users.base}'x`.* FROM {base}",
        )
        users.provide(users.clone)
        users.check_equal()
        users.execute(*(f"REVOKE ALL ON *.* FROM {users.sql(u)}" for u in users.passwords))


def test_a_routine_may_have_a_name_in_any_script(users: Users) -> None:
    base = users.sql(users.base)
    with database(users, f"{users.base}é漢") as data:
        users.execute(
            f"CREATE PROCEDURE {data}.`Übung漢` () SELECT 1",
            f"GRANT EXECUTE ON PROCEDURE {data}.`Übung漢` TO {base}",
        )
        users.provide(users.clone)
        users.check_equal()


@pytest.mark.parametrize("in_use", [False, True], ids=["the clone waits", "the clone is in use"])
def test_rights_that_are_equal_are_read_once(
    users: Users, monkeypatch: pytest.MonkeyPatch, *, in_use: bool
) -> None:
    """A rotation over a network takes as long as its statements are many."""
    users.provide(users.clone)
    asked, records = Counter[str](), Session.records

    def count(session: Session, query: str, *parameters: object) -> list[dict[str, object]]:
        asked[query.partition(" FROM ")[2].partition(" ")[0]] += 1
        return records(session, query, *parameters)

    monkeypatch.setattr(Session, "records", count)
    users.provide(users.base if in_use else users.clone)
    assert asked["mysql.db"] == asked["mysql.tables_priv"] == 1, asked
