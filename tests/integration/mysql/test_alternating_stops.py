"""Alternating users: where a rotation stops, before anything is changed, and what it says."""

import pytest

from rekey import errors
from rekey.ports import PeerChange
from tests.integration.mysql.account import Account, Running, new_password, quoted
from tests.integration.mysql.alternating import Users, database


@pytest.fixture
def users(account: Account) -> Users:
    """The clone is in use."""
    users = Users(account)
    users.provide(users.clone)
    return users


def check_stops(users: Users, error: type[errors.RekeyError], *named: str) -> None:
    """Neither user can do more or less than before, and the passwords are what they were."""
    before = users.told(users.base), users.told(users.clone)
    with pytest.raises(error) as stopped:
        users.provide(users.base)
    for text in named:
        assert text in str(stopped.value)
    assert (users.told(users.base), users.told(users.clone)) == before
    assert users.logs_in(users.base)
    assert users.logs_in(users.clone)


def test_a_right_of_the_clone_in_use_that_the_base_user_lacks_is_named(users: Users) -> None:
    users.execute(f"GRANT SELECT ON `{users.base}\\_x`.* TO {users.sql(users.clone)}")
    check_stops(users, errors.PrivilegesDiffer, f"SELECT ON `{users.base}\\_x`.*", users.base)


def test_an_option_of_the_clone_in_use_is_named(users: Users) -> None:
    users.execute(f"GRANT SELECT ON `{users.base}`.* TO {users.sql(users.base)}")
    users.execute(f"GRANT SELECT ON `{users.base}`.* TO {users.sql(users.clone)} WITH GRANT OPTION")
    check_stops(users, errors.PrivilegesDiffer, f"GRANT OPTION ON `{users.base}`.*")


def test_a_role_of_the_clone_in_use_is_named(users: Users) -> None:
    role = f"`{users.base},role`"
    users.execute(f"CREATE ROLE {role}", f"GRANT {role} TO {users.sql(users.clone)}")
    check_stops(users, errors.PrivilegesDiffer, "the role", role.strip("`"))
    users.execute(f"DROP ROLE {role}")


def test_what_the_base_user_gained_meanwhile_the_clone_in_use_gets_at_once(users: Users) -> None:
    with database(users, f"{users.base}_data", "t") as data:
        users.execute(f"GRANT SELECT ON {data}.* TO {users.sql(users.base)} WITH GRANT OPTION")
        users.provide(users.base)
        users.check_equal()
    assert users.logs_in(users.base)
    assert users.logs_in(users.clone)


def test_limits_of_the_base_user_reach_no_clone_that_is_in_use(users: Users) -> None:
    users.execute(f"ALTER USER {users.sql(users.base)} WITH MAX_QUERIES_PER_HOUR 7")
    users.provide(users.base)
    assert "7" not in users.created(users.clone)


def test_a_base_user_that_is_locked_is_not_rotated_to(users: Users) -> None:
    users.execute(f"ALTER USER {users.sql(users.base)} ACCOUNT LOCK")
    with pytest.raises(errors.AccountLocked, match="ACCOUNT UNLOCK"):
        users.provide(users.base)


def test_a_clone_for_other_hosts_is_never_taken_over(users: Users) -> None:
    users.execute(f"CREATE USER {users.clone}@'10.0.0.1' IDENTIFIED BY {quoted(new_password())}")
    check_stops(users, errors.PrivilegesDiffer, f"'{users.clone}'@'10.0.0.1'", "RENAME USER")


def test_a_clone_that_is_not_there_cannot_be_in_use(users: Users) -> None:
    users.execute(f"DROP USER {users.sql(users.clone)}")
    with pytest.raises(errors.UserMissing, match=users.clone):
        users.provide(users.base)


def test_a_base_user_that_is_not_there_is_missing(users: Users) -> None:
    users.execute(f"DROP USER {users.sql(users.base)}")
    with pytest.raises(errors.UserMissing, match=users.base):
        users.provide(users.clone)


def test_several_accounts_of_the_name_are_ambiguous(users: Users) -> None:
    users.execute(f"CREATE USER {users.base}@'10.0.0.1' IDENTIFIED BY {quoted(new_password())}")
    check_stops(users, errors.AmbiguousAccount, "10.0.0.1", "rekey:hosts")


def test_an_account_that_logs_in_otherwise_is_left_alone(users: Users) -> None:
    if users.account.mariadb:
        change = "UPDATE mysql.global_priv SET priv = JSON_SET(priv, '$.plugin', 'pam')"
    else:
        change = "UPDATE mysql.user SET plugin = 'pam'"
    users.execute(f"{change} WHERE user = '{users.clone}'")
    check_stops(users, errors.UnsupportedStrategy, "logs in by pam")


def test_a_name_that_mariadb_does_not_tell_from_another_is_left_alone(
    mariadb: Running,
) -> None:
    users = Users(Account(mariadb, mariadb=True, name="app'@'x"))
    users.execute(f"CREATE USER {users.sql(users.base)} IDENTIFIED BY {quoted(new_password())}")
    with pytest.raises(errors.UnsupportedStrategy, match="rename it"):
        users.provide(users.clone)
    users.execute(f"DROP USER {users.sql(users.base)}")
    assert users.execute("SELECT 1 FROM mysql.user WHERE user LIKE 'app''@%'") == []


def test_a_right_on_what_is_gone_is_named_with_what_to_do(users: Users) -> None:
    with database(users, f"{users.base}_data", "gone") as data:
        users.execute(f"GRANT SELECT (a) ON {data}.gone TO {users.sql(users.base)}")
        users.execute(f"DROP TABLE {data}.gone")
        with pytest.raises(errors.PrivilegesDiffer, match=r"SELECT \(`a`\).*revoke it"):
            users.provide(users.clone)
        assert users.logs_in(users.clone)
        assert users.logs_in(users.base)


def test_following_the_advice_about_missing_privileges_leads_to_a_rotation(
    account: Account,
) -> None:
    """Each failure names one statement; after some of them, nothing is missing."""
    users, role = Users(account), f"{account.name}_role"
    login, password = f"{account.name}_admin", new_password()
    with database(users, f"{users.base}_data", "t") as data:
        users.execute(
            f"CREATE USER {login} IDENTIFIED BY {quoted(password)}",
            f"CREATE ROLE {role}",
            f"GRANT SELECT, INSERT ON {data}.* TO {users.sql(users.base)} WITH GRANT OPTION",
            f"GRANT UPDATE (a) ON {data}.t TO {users.sql(users.base)}",
            f"GRANT PROCESS ON *.* TO {users.sql(users.base)}",
            f"GRANT {role} TO {users.sql(users.base)}",
        )
        word = "FOR" if account.mariadb else "TO"
        users.execute(f"SET DEFAULT ROLE {role} {word} {users.sql(users.base)}")
        new = new_password()
        for _ in range(12):
            with account.connect(login, password) as connection:
                try:
                    connection.provide_peer(PeerChange(users.base, users.clone, users.clone, new))
                except errors.MissingPrivilege as error:
                    advice = advised(str(error))
                    assert not account.logs_in(new, users.clone)
                else:
                    break
            users.execute(advice)
        users.check_equal()
        assert account.logs_in(new, users.clone)
    users.execute(f"DROP ROLE {role}")


def advised(message: str) -> str:
    return "GRANT " + message.partition(": GRANT ")[2].partition(". ")[0].removesuffix(".")
