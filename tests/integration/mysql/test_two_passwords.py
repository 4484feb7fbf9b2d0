"""AWSCURRENT logs in at every instant, from every state that an account may be found in."""

import itertools
from collections.abc import Callable, Sequence

import pytest

from rekey import errors
from rekey.engines.mysql import accounts, dual, hashes
from rekey.engines.mysql.session import Session
from rekey.model import Deadline
from rekey.ports import TwoPasswords
from tests.integration.mysql.account import Account, new_password, quoted

ROLES = ("current", "pending", "older")
STATES = list(itertools.product(ROLES, (None, *ROLES)))
METHODS = [roles for count in (1, 2, 3) for roles in itertools.permutations(ROLES, count)]
CRASHES = (0, 1, 2)


class Crashed(Exception):
    """The function ends here."""


class Watched(Session):
    """A session that looks at the account after each of its changes, and may end after one."""

    look: Callable[[], None] = staticmethod(lambda: None)
    left: int = 100

    def run(self, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        if statement.startswith("ALTER USER") and self.left == 0:
            raise Crashed
        rows = super().run(statement, *parameters)
        if statement.startswith("ALTER USER"):
            self.left -= 1
            self.look()
        return rows


def three_passwords() -> dict[str, str]:
    return {role: new_password() for role in ROLES}


def put(account: Account, first: str, second: str | None) -> None:
    """Bring a MySQL account into a state."""
    name = f"{account.name}@'%'"
    start = first if second is None else second
    account.alter(f"IDENTIFIED BY {quoted(start)}, {name} DISCARD OLD PASSWORD")
    if second is not None:
        account.alter(f"IDENTIFIED BY {quoted(first)} RETAIN CURRENT PASSWORD")


def put_methods(account: Account, passwords: Sequence[str]) -> None:
    """Bring a MariaDB account into a state."""
    methods = (
        f"mysql_native_password USING {quoted(hashes.native(password))}" for password in passwords
    )
    account.alter(f"IDENTIFIED VIA {' OR '.join(methods)}")


def watched(account: Account, *, left: int, look: Callable[[], None]) -> Session:
    credential = account.credential(account.running.superuser, account.running.password)
    session = Watched.open(credential, account.running.port, account.context, Deadline.after(20))
    session.left, session.look = left, look
    return session


def check_every_instant(account: Account, passwords: dict[str, str], crash: int) -> None:
    """Change the account, cut off after ``crash`` statements, and then change it once more."""
    current, pending = passwords["current"], passwords["pending"]
    before = account.logs_in(current)

    def look() -> None:
        assert account.logs_in(current)

    session = watched(account, left=crash, look=look)
    try:
        found = accounts.accounts(session, account.name, all_hosts=False)[0]
        dual.give_two(session, found, current, pending)
    except Crashed:
        assert account.logs_in(current) or not before
    finally:
        session.close()
    for _ in range(2):
        account.give_two(current, pending)
        assert account.works(*passwords.values()) == [True, True, False]


@pytest.mark.parametrize("crash", CRASHES)
@pytest.mark.parametrize(("first", "second"), STATES)
def test_mysql_lets_awscurrent_in_at_every_instant(
    mysql_account: Account, first: str, second: str | None, crash: int
) -> None:
    passwords = three_passwords()
    put(mysql_account, passwords[first], passwords[second] if second else None)
    check_every_instant(mysql_account, passwords, crash)


@pytest.mark.parametrize("crash", CRASHES[:2])
@pytest.mark.parametrize("roles", METHODS)
def test_mariadb_lets_awscurrent_in_at_every_instant(
    mariadb_account: Account, roles: tuple[str, ...], crash: int
) -> None:
    passwords = three_passwords()
    put_methods(mariadb_account, [passwords[role] for role in roles])
    check_every_instant(mariadb_account, passwords, crash)


@pytest.mark.parametrize(("first", "second"), STATES)
def test_mysql_is_left_with_one_password_from_every_state(
    mysql_account: Account, first: str, second: str | None
) -> None:
    passwords = three_passwords()
    put(mysql_account, passwords[first], passwords[second] if second else None)
    for _ in range(2):
        mysql_account.retire(passwords["current"])
        assert mysql_account.works(*passwords.values()) == [True, False, False]


@pytest.mark.parametrize("roles", METHODS)
def test_mariadb_is_left_with_one_password_from_every_state(
    mariadb_account: Account, roles: tuple[str, ...]
) -> None:
    passwords = three_passwords()
    put_methods(mariadb_account, [passwords[role] for role in roles])
    for _ in range(2):
        mariadb_account.retire(passwords["current"])
        assert mariadb_account.works(*passwords.values()) == [True, False, False]


def test_what_is_already_so_is_not_touched(account: Account) -> None:
    pending = new_password()
    account.give_two(account.password, pending)
    session = watched(account, left=0, look=lambda: None)
    try:
        found = accounts.accounts(session, account.name, all_hosts=False)[0]
        dual.give_two(session, found, account.password, pending)
        account.retire(pending)
        found = accounts.accounts(session, account.name, all_hosts=False)[0]
        dual.leave_one(session, found, pending)
    finally:
        session.close()


def test_several_accounts_of_the_name_are_changed_only_if_all_are_meant(account: Account) -> None:
    old, new = account.password, new_password()
    account.running.execute(f"CREATE USER {account.name}@'10.0.0.1' IDENTIFIED BY {quoted(old)}")
    with pytest.raises(errors.AmbiguousAccount, match="rekey:hosts"):
        account.give_two(old, new)
    assert account.works(old, new) == [True, False]
    account.give_two(old, new, all_hosts=True)
    account.running.execute(f"DROP USER {account.name}@'%'")
    account.running.execute(f"RENAME USER {account.name}@'10.0.0.1' TO {account.name}@'%'")
    assert account.works(old, new) == [True, True]


def test_a_host_other_than_any_is_found(account: Account) -> None:
    new = new_password()
    account.running.execute(f"RENAME USER {account.name}@'%' TO {account.name}@'127.0.0.%'")
    account.give_two(account.password, new)
    assert account.works(account.password, new) == [True, True]


def test_a_name_that_differs_in_case_is_another_user(account: Account) -> None:
    account.running.execute(f"CREATE USER {account.name.upper()}@'10.0.0.1'")
    try:
        account.give_two(account.password, new_password())
    finally:
        account.running.execute(f"DROP USER {account.name.upper()}@'10.0.0.1'")


def check(account: Account, rights: Sequence[str]) -> None:
    """Check as a login that has these rights only."""
    name, password = f"{account.name}_s", new_password()
    account.running.execute(f"CREATE USER {name}@'%' IDENTIFIED BY {quoted(password)}")
    for right in rights:
        account.running.execute(f"GRANT {right} TO {name}@'%'")
    with account.connect(name, password) as connection:
        connection.check_two_passwords(account.name, all_hosts=False)
        with connection.alone(account.name):
            connection.set_two_passwords(
                TwoPasswords(account.name, account.password, new_password())
            )


def test_a_superuser_that_may_not_look_is_told_what_to_grant(account: Account) -> None:
    with pytest.raises(errors.MissingPrivilege, match=r"GRANT SELECT ON mysql\."):
        check(account, ["CREATE USER ON *.*"])


def test_a_superuser_that_may_not_change_users_is_told_what_to_grant(account: Account) -> None:
    with pytest.raises(errors.MissingPrivilege, match=r"GRANT CREATE USER ON \*\.\*"):
        check(account, ["SELECT ON mysql.*"])
    assert account.logs_in(account.password)


def test_create_user_and_a_look_at_the_accounts_are_enough(account: Account) -> None:
    check(account, ["CREATE USER ON *.*", "SELECT ON mysql.*"])


def test_a_right_that_comes_by_a_role_counts(account: Account) -> None:
    role, name, password = f"{account.name}_r", f"{account.name}_s", new_password()
    account.running.execute(
        f"CREATE ROLE {role}",
        f"GRANT CREATE USER ON *.* TO {role}",
        f"GRANT SELECT ON mysql.* TO {role}",
        f"CREATE USER {name}@'%' IDENTIFIED BY {quoted(password)}",
        f"GRANT {role} TO {name}@'%'",
        f"SET DEFAULT ROLE {role} FOR {name}@'%'"
        if account.mariadb
        else f"SET DEFAULT ROLE {role} TO {name}@'%'",
    )
    try:
        with account.connect(name, password) as connection:
            connection.check_two_passwords(account.name, all_hosts=False)
    finally:
        account.running.execute(f"DROP ROLE {role}")


def test_a_password_history_does_not_stop_a_repeat(mysql_account: Account) -> None:
    """The server cannot tell what a hash stands for, and each has a salt of its own."""
    account, pending = mysql_account, new_password()
    account.alter("PASSWORD HISTORY 5")
    for _ in range(2):
        account.give_two(account.password, pending)
        account.retire(account.password)
    account.give_two(account.password, pending)
    account.retire(pending)
    assert account.works(account.password, pending) == [False, True]


def test_an_account_without_a_first_password_gets_two(mysql_account: Account) -> None:
    account, pending = mysql_account, new_password()
    account.alter("IDENTIFIED BY ''")
    account.give_two(account.password, pending)
    assert account.works(account.password, pending) == [True, True]


def test_an_account_of_sha256_password_gets_two_passwords(mysql_account: Account) -> None:
    account, pending = mysql_account, new_password()
    account.alter(f"IDENTIFIED WITH sha256_password BY {quoted(account.password)}")
    account.give_two(account.password, pending)
    assert account.works(account.password, pending) == [True, True]


def test_other_ways_in_are_closed_by_two_passwords_of_mariadb(mariadb_account: Account) -> None:
    account, pending = mariadb_account, new_password()
    hashed = quoted(hashes.native(account.password))
    account.alter(f"IDENTIFIED VIA unix_socket OR mysql_native_password USING {hashed}")
    account.give_two(account.password, pending)
    shown = account.running.execute(f"SHOW CREATE USER {account.name}@'%'")[0][0]
    assert "unix_socket" not in shown
    assert account.works(account.password, pending) == [True, True]
