"""What the engine does with one password and with a login."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import pytest

from rekey import errors
from tests.integration.mysql.account import Account, new_password, quoted, setting

STRANGE = "ü ' '' \\ \\' \" %s %(x)s ` ; -- é漢字"


def test_a_user_changes_its_own_password(account: Account) -> None:
    new = new_password()
    with account.connect(account.name, account.password) as connection:
        connection.set_password(account.name, new)
    assert account.works(account.password, new) == [False, True]


def test_a_superuser_changes_the_password_of_another_user(account: Account) -> None:
    new = new_password()
    account.set_by_superuser(new)
    assert account.works(account.password, new) == [False, True]


def with_another_host(account: Account) -> Account:
    """An account of the same name and password for clients that are elsewhere."""
    account.running.execute(
        f"CREATE USER {account.name}@'10.0.0.1' IDENTIFIED BY {quoted(account.password)}"
    )
    return account


def works_there(account: Account, *passwords: str) -> list[bool]:
    """What those who come from elsewhere get in with."""
    account.running.execute(f"DROP USER {account.name}@'%'")
    account.running.execute(f"RENAME USER {account.name}@'10.0.0.1' TO {account.name}@'%'")
    return account.works(*passwords)


def test_a_superuser_changes_all_accounts_of_the_name_if_all_are_meant(account: Account) -> None:
    with_another_host(account)
    new = new_password()
    account.set_by_superuser(new, all_hosts=True)
    assert account.works(account.password, new) == [False, True]
    assert works_there(account, account.password, new) == [False, True]


def test_a_superuser_changes_none_of_several_accounts_of_the_name(account: Account) -> None:
    """The other one may be somebody else's."""
    with_another_host(account)
    new = new_password()
    with pytest.raises(errors.AmbiguousAccount, match=r"10\.0\.0\.1"):
        account.set_by_superuser(new)
    assert account.works(account.password, new) == [True, False]
    assert works_there(account, account.password, new) == [True, False]


def test_quotes_backslashes_and_foreign_letters_are_part_of_a_password(account: Account) -> None:
    with account.connect(account.name, account.password) as connection:
        connection.set_password(account.name, STRANGE)
    assert account.works(account.password, STRANGE) == [False, True]
    account.set_by_superuser(STRANGE[::-1])
    assert account.works(STRANGE, STRANGE[::-1]) == [False, True]


def test_setting_the_same_password_again_is_harmless(account: Account) -> None:
    for _ in range(2):
        with account.connect(account.name, account.password) as connection:
            connection.set_password(account.name, account.password)
    assert account.logs_in(account.password)


def test_a_login_that_may_change_users_changes_itself_by_a_hash(mysql_account: Account) -> None:
    """Seen where clear text would be refused: the server logs raw statements."""
    account, new = mysql_account, new_password()
    account.running.execute(
        f"GRANT CREATE USER ON *.* TO {account.name}@'%'",
        f"GRANT SELECT ON mysql.user TO {account.name}@'%'",
    )
    with account.connect(account.name, account.password) as connection:
        connection.set_password(account.name, new)
    assert account.works(account.password, new) == [False, True]


def test_a_second_password_from_before_ends_when_the_user_may_end_it(
    mysql_account: Account,
) -> None:
    account, second, third = mysql_account, new_password(), new_password()
    account.running.execute(
        f"GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO {account.name}@'%'",
    )
    account.give_two(account.password, second)
    with account.connect(account.name, second) as connection:
        connection.set_password(account.name, third)
    assert account.works(account.password, second, third) == [False, False, True]


def test_an_own_password_in_clear_is_refused_without_tls(mysql_account: Account) -> None:
    account = mysql_account
    account.connect(account.name, account.password).close()  # Now the server knows it.
    with (
        setting(account, "require_secure_transport", "OFF"),
        account.connect(account.name, account.password, ssl=False) as connection,
        pytest.raises(errors.PlaintextRefused, match="dual-password"),
    ):
        connection.set_password(account.name, new_password())
    assert account.logs_in(account.password)


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("log_raw", "ON", errors.PlaintextRefused),
        ("read_only", "ON", errors.ReadOnlyEndpoint),
        ("read_only", "OFF", None),
    ],
)
def test_what_stops_an_own_change_shows_before(
    mysql_account: Account, name: str, value: str, kind: type[Exception] | None
) -> None:
    account = mysql_account
    with (
        setting(account, name, value),
        account.connect(account.name, account.password) as connection,
        pytest.raises(kind) if kind else nullcontext(),
    ):
        connection.check_own_password(all_hosts=False)
    assert account.logs_in(account.password)


def test_an_account_of_the_same_name_elsewhere_stops_an_own_change(account: Account) -> None:
    account.running.execute(
        f"CREATE USER {account.name}@'10.0.0.1' IDENTIFIED BY {quoted(new_password())}",
        f"GRANT SELECT ON mysql.* TO {account.name}@'%'",
    )
    with (
        account.connect(account.name, account.password) as connection,
        pytest.raises(errors.AmbiguousAccount, match=r"10\.0\.0\.1"),
    ):
        connection.set_password(account.name, new_password())
    assert account.logs_in(account.password)


@pytest.mark.parametrize("may", [True, False])
def test_a_login_that_may_change_users_changes_all_its_accounts_if_all_are_meant(
    account: Account, may: bool
) -> None:
    with_another_host(account)
    account.running.execute(f"GRANT SELECT ON mysql.* TO {account.name}@'%'")
    if may:
        account.running.execute(f"GRANT CREATE USER ON *.* TO {account.name}@'%'")
    new = new_password()
    expected = nullcontext() if may else pytest.raises(errors.AmbiguousAccount, match="dual")
    with account.connect(account.name, account.password) as connection, expected:
        connection.set_password(account.name, new, all_hosts=True)
    assert account.works(account.password, new) == [not may, may]
    assert works_there(account, account.password, new) == [not may, may]


def test_a_user_without_rights_changes_no_other(account: Account) -> None:
    with (
        account.connect(account.name, account.password) as connection,
        pytest.raises(errors.MissingPrivilege, match="GRANT CREATE USER"),
    ):
        connection.set_password(account.running.superuser, new_password())


def test_a_user_that_is_gone_is_missing(account: Account) -> None:
    with account.superuser() as connection, pytest.raises(errors.UserMissing):
        connection.set_password(f"{account.name}_gone", new_password())


def test_a_login_is_who_it_says(account: Account) -> None:
    with account.connect(account.name, account.password) as connection:
        connection.check_identity(account.name, account.name)
        with pytest.raises(errors.PrivilegesDiffer, match=account.name):
            connection.check_identity("other", "other")


def test_a_mysql_account_keeps_its_plugin_and_the_rounds_of_its_server(
    mysql_account: Account,
) -> None:
    account = mysql_account
    account.set_by_superuser(new_password())
    plugin, stored = account.running.execute(
        f"SELECT plugin, authentication_string FROM mysql.user WHERE user = '{account.name}'"
    )[0]
    rounds = account.running.execute("SELECT @@caching_sha2_password_digest_rounds")[0][0]
    assert plugin == "caching_sha2_password"
    assert stored.startswith(f"$A${int(rounds) // 1000:03X}$")


def test_an_account_of_sha256_password_becomes_one_of_caching_sha2_password(
    mysql_account: Account,
) -> None:
    account, new = mysql_account, new_password()
    account.alter(f"IDENTIFIED WITH sha256_password BY {quoted(account.password)}")
    account.set_by_superuser(new)
    assert account.works(account.password, new) == [False, True]


def test_only_one_at_a_time_changes_a_user(account: Account) -> None:
    with account.superuser() as one, account.superuser() as two, one.alone(account.name):
        with two.alone(f"{account.name}_other"):
            pass
        with pytest.raises(errors.LockTimeout, match=account.name), two.alone(account.name):
            pass
    with account.superuser() as three, three.alone(account.name):
        pass


def test_the_lock_ends_with_its_connection(account: Account) -> None:
    lost = account.superuser()
    lock = lost.alone(account.name)
    lock.__enter__()
    lost.close()
    with account.superuser() as connection, connection.alone(account.name):
        pass


def test_a_lock_waits_for_the_one_before_it(account: Account) -> None:
    order: list[str] = []
    with account.superuser() as one, account.superuser() as two:

        def second() -> None:
            with two.alone(account.name):
                order.append("second")

        with one.alone(account.name):
            waiting = threading.Thread(target=second)
            waiting.start()
            order.append("first")
        waiting.join()
    assert order == ["first", "second"]


@contextmanager
def password_check(account: Account) -> Iterator[None]:
    """MariaDB checks passwords, and takes no hash until the test says otherwise."""
    account.running.execute("INSTALL SONAME 'simple_password_check'")
    try:
        yield
    finally:
        account.running.execute(
            "SET GLOBAL strict_password_validation = ON", "UNINSTALL SONAME 'simple_password_check'"
        )


def test_a_password_check_of_mariadb_forbids_hashes_and_the_error_says_what_to_change(
    mariadb_account: Account,
) -> None:
    account = mariadb_account
    with password_check(account):
        for attempt in (account.set_by_superuser, lambda new: account.give_two("x" * 20, new)):
            with pytest.raises(errors.PolicyForbidsHash, match="strict_password_validation"):
                attempt(new_password())
        account.running.execute("SET GLOBAL strict_password_validation = OFF")
        new = new_password()
        account.set_by_superuser(new)
        assert account.works(account.password, new) == [False, True]


def test_a_password_check_of_mariadb_forbids_a_user_its_own_hash_too(
    mariadb_account: Account,
) -> None:
    account, new = mariadb_account, new_password()
    with password_check(account), account.connect(account.name, account.password) as connection:
        with pytest.raises(errors.PolicyForbidsHash, match="strict_password_validation"):
            connection.set_password(account.name, new)
        assert account.works(account.password, new) == [True, False]
        account.running.execute("SET GLOBAL strict_password_validation = OFF")
        connection.set_password(account.name, new)
        assert account.works(account.password, new) == [False, True]


def test_a_server_that_becomes_read_only_meanwhile_is_no_password_check(
    mariadb_account: Account,
) -> None:
    account = mariadb_account
    with (
        account.connect(account.name, account.password) as connection,
        setting(account, "read_only", "ON"),
        pytest.raises(errors.ReadOnlyEndpoint, match="1290"),
    ):
        connection.set_password(account.name, new_password())


def test_a_user_that_has_to_give_its_old_password_is_told_what_to_change(
    mysql_account: Account,
) -> None:
    account = mysql_account
    account.alter("PASSWORD REQUIRE CURRENT")
    with (
        account.connect(account.name, account.password) as connection,
        pytest.raises(errors.PasswordRefused, match="PASSWORD REQUIRE CURRENT OFF"),
    ):
        connection.set_password(account.name, new_password())
    assert account.logs_in(account.password)


def test_a_second_password_from_before_ends_with_a_change_by_a_superuser(
    mysql_account: Account,
) -> None:
    account, second, third = mysql_account, new_password(), new_password()
    account.give_two(account.password, second)
    account.set_by_superuser(third)
    assert account.works(account.password, second, third) == [False, False, True]
