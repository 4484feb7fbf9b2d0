"""Each way in which a server cannot be used has a class and a text of its own."""

import ssl
from contextlib import ExitStack

import pytest

from local.certificates import Authority
from rekey import errors
from rekey.engines.mysql import MysqlEngine
from rekey.engines.sealed import Sealed
from rekey.model import Deadline
from tests.integration.mysql.account import Account, new_password, quoted, setting


def test_a_wrong_password_is_rejected_credentials(account: Account) -> None:
    with pytest.raises(errors.CredentialsRejected, match="1045"):
        account.connect(account.name, new_password())


def test_a_missing_user_is_rejected_credentials(account: Account) -> None:
    with pytest.raises(errors.CredentialsRejected, match="1045"):
        account.connect(f"{account.name}_gone", new_password())


def test_a_locked_account_is_told_as_such(account: Account) -> None:
    account.alter("ACCOUNT LOCK")
    with pytest.raises(errors.AccountLocked, match="ACCOUNT UNLOCK"):
        account.connect(account.name, account.password)


def test_an_expired_password_is_told_as_such(account: Account) -> None:
    account.alter("PASSWORD EXPIRE")
    with pytest.raises(errors.CredentialsRejected, match="expired"):
        account.connect(account.name, account.password)


def test_a_new_password_ends_the_expiry(account: Account) -> None:
    account.alter("PASSWORD EXPIRE")
    new = new_password()
    account.set_by_superuser(new)
    assert account.logs_in(new)


def test_too_many_wrong_passwords_are_a_locked_account(mysql_account: Account) -> None:
    account = mysql_account
    account.alter("FAILED_LOGIN_ATTEMPTS 2 PASSWORD_LOCK_TIME UNBOUNDED")
    for _ in range(2):
        with pytest.raises((errors.CredentialsRejected, errors.AccountLocked)):
            account.connect(account.name, new_password())
    with pytest.raises(errors.AccountLocked, match="3955"):
        account.connect(account.name, account.password)


def test_an_account_that_mariadb_blocks_is_a_locked_account(mariadb_account: Account) -> None:
    account = mariadb_account
    with setting(account, "max_password_errors", "2"):
        for _ in range(2):
            with pytest.raises(errors.CredentialsRejected):
                account.connect(account.name, new_password())
        with pytest.raises(errors.AccountLocked, match="FLUSH PRIVILEGES"):
            account.connect(account.name, account.password)
        account.running.execute("FLUSH PRIVILEGES")
        assert account.logs_in(account.password)


def test_too_many_connections_of_a_user_are_told_as_such(account: Account) -> None:
    account.alter("WITH MAX_USER_CONNECTIONS 1")
    with (
        account.connect(account.name, account.password),
        pytest.raises(errors.TooManyConnections, match="1226"),
    ):
        account.connect(account.name, account.password)


def test_a_missing_database_is_named(account: Account) -> None:
    superuser = account.running.superuser
    with pytest.raises(errors.DatabaseMissing, match="no_such_database"):
        account.connect(superuser, account.running.password, dbname="no_such_database")


def test_a_database_without_rights_is_a_missing_privilege(account: Account) -> None:
    with pytest.raises(errors.MissingPrivilege, match="1044"):
        account.connect(account.name, account.password, dbname="mysql")


def test_a_client_that_no_account_admits_is_refused_at_the_login(account: Account) -> None:
    account.running.execute(f"RENAME USER {account.name}@'%' TO {account.name}@'10.9.9.9'")
    with pytest.raises(errors.LoginError):
        account.connect(account.name, account.password)


def test_a_read_only_endpoint_is_told_as_such_and_may_still_be_tested(account: Account) -> None:
    with setting(account, "read_only", "ON"):
        with account.connect(account.name, account.password) as connection:
            connection.check_identity(account.name, account.name)
            with pytest.raises(errors.ReadOnlyEndpoint, match="writer"):
                connection.set_password(account.name, new_password())
        with pytest.raises(errors.ReadOnlyEndpoint):
            account.give_two(account.password, new_password())
    assert account.logs_in(account.password)


def test_a_certificate_of_an_unknown_authority_is_refused(account: Account) -> None:
    context = ssl.create_default_context(cadata=Authority.create().pem)
    engine = Sealed(MysqlEngine(lambda: context))
    with pytest.raises(errors.TlsFailed, match="CaBundleLayerArn"):
        engine.connect(account.credential(account.name, account.password), Deadline.after(20))


def test_an_engine_as_deployed_refuses_a_server_that_it_has_no_authority_for(
    account: Account,
) -> None:
    with pytest.raises(errors.TlsFailed):
        Sealed(MysqlEngine()).connect(
            account.credential(account.name, account.password), Deadline.after(20)
        )


def test_a_name_that_the_certificate_does_not_hold_is_refused(account: Account) -> None:
    other = account.credential(account.name, account.password, host="127.0.0.2")
    engine = Sealed(MysqlEngine(lambda: account.context))
    with pytest.raises((errors.TlsFailed, errors.DatabaseUnreachable)):
        engine.connect(other, Deadline.after(20))


def test_a_login_that_needs_the_password_itself_is_refused_without_tls(
    mysql_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server does not know the account yet, and the function has no RSA."""
    monkeypatch.setattr("pymysql._auth._have_cryptography", False)  # As deployed.
    with (
        setting(mysql_account, "require_secure_transport", "OFF"),
        pytest.raises(errors.PlaintextRefused, match="ssl"),
    ):
        mysql_account.connect(mysql_account.name, mysql_account.password, ssl=False)


def test_a_server_that_insists_on_tls_refuses_a_login_without(mysql_account: Account) -> None:
    account = mysql_account
    account.connect(account.name, account.password).close()
    with (
        setting(account, "require_secure_transport", "ON"),
        pytest.raises(errors.TlsFailed, match="3159"),
    ):
        account.connect(account.name, account.password, ssl=False)


def test_what_waits_for_a_lock_gives_up_and_changes_nothing(account: Account) -> None:
    new = new_password()
    with ExitStack() as stack:
        blocking = stack.enter_context(account.superuser())
        stack.enter_context(blocking.alone(account.name))
        with pytest.raises(errors.LockTimeout, match=account.name):
            account.set_by_superuser(new)
    assert account.works(account.password, new) == [True, False]


def test_a_login_has_one_deadline_for_everything(account: Account) -> None:
    engine = Sealed(MysqlEngine(lambda: account.context))
    credential = account.credential(account.name, account.password)
    with pytest.raises(errors.DatabaseUnreachable):
        engine.connect(credential, Deadline.after(0))


def test_an_account_of_ed25519_is_told_to_take_another_method(mariadb_account: Account) -> None:
    """The driver does ed25519 only with a compiled library, which functions do not carry."""
    account = mariadb_account
    account.running.execute("INSTALL PLUGIN IF NOT EXISTS ed25519 SONAME 'auth_ed25519'")
    account.alter(f"IDENTIFIED VIA ed25519 USING PASSWORD({quoted(account.password)})")
    with pytest.raises(errors.LoginNotAllowed, match="ed25519") as refused:
        account.connect(account.name, account.password)
    assert account.password not in str(refused.value)
    advised = str(refused.value).partition("ALTER USER ... ")[2].rstrip(".")
    account.alter(advised.replace("'...'", quoted(account.password)))
    assert account.logs_in(account.password)
