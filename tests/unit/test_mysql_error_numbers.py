"""Errors of the servers are sorted by their numbers, never by their texts."""

import ssl

import pymysql
import pytest

from rekey import errors
from rekey.engines.mysql.errorcode import from_number
from rekey.engines.mysql.failures import translate
from rekey.engines.mysql.session import is_mariadb, version_of

NUMBERS = [
    (1045, errors.CredentialsRejected),
    (1862, errors.CredentialsRejected),
    (1040, errors.TooManyConnections),
    (1203, errors.TooManyConnections),
    (1226, errors.TooManyConnections),
    (1130, errors.LoginNotAllowed),
    (1049, errors.DatabaseMissing),
    (1227, errors.MissingPrivilege),
    (1142, errors.MissingPrivilege),
    (1044, errors.MissingPrivilege),
    (1410, errors.MissingPrivilege),
    (1290, errors.ReadOnlyEndpoint),
    (1836, errors.ReadOnlyEndpoint),
    (1205, errors.LockTimeout),
    (1213, errors.ConcurrentChange),
    (1396, errors.UserMissing),
    (1819, errors.PasswordRefused),
    (1053, errors.DatabaseUnreachable),
    (9999, errors.EngineFailure),
]
OF_ONE = [
    (3955, errors.AccountLocked, errors.EngineFailure),
    (3118, errors.AccountLocked, errors.EngineFailure),
    (3638, errors.PasswordRefused, errors.EngineFailure),
    (3572, errors.LockTimeout, errors.EngineFailure),
    (4150, errors.EngineFailure, errors.AccountLocked),
    (4151, errors.EngineFailure, errors.AccountLocked),
    (1969, errors.EngineFailure, errors.DatabaseUnreachable),
]


@pytest.mark.parametrize("mariadb", [False, True])
@pytest.mark.parametrize(("number", "kind"), NUMBERS)
def test_a_number_is_a_class_of_ours(number: int, kind: type, mariadb: bool) -> None:
    error = from_number(number, "Zugriff verweigert", "db:3306", mariadb=mariadb)
    assert type(error) is kind
    assert "Zugriff verweigert" in str(error)
    assert str(number) in str(error)


@pytest.mark.parametrize(("number", "mysql", "mariadb"), OF_ONE)
def test_a_number_may_mean_something_on_one_of_the_servers_only(
    number: int, mysql: type, mariadb: type
) -> None:
    assert type(from_number(number, "", "db", mariadb=False)) is mysql
    assert type(from_number(number, "", "db", mariadb=True)) is mariadb


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (pymysql.OperationalError(2013, "lost"), errors.DatabaseUnreachable),
        (pymysql.OperationalError(2026, "no TLS"), errors.TlsFailed),
        (pymysql.InterfaceError(0, ""), errors.DatabaseUnreachable),
        (ConnectionResetError(), errors.DatabaseUnreachable),
        (ssl.SSLError("handshake"), errors.TlsFailed),
        (RuntimeError("'cryptography' package is required"), errors.PlaintextRefused),
        (RuntimeError("'pynacl' package is required"), errors.LoginNotAllowed),
        (
            pymysql.OperationalError("received multiple auth switch requests"),
            errors.LoginNotAllowed,
        ),
        (ValueError("?"), errors.EngineFailure),
    ],
)
def test_what_the_driver_raises_itself_is_sorted_too(raised: Exception, kind: type) -> None:
    assert type(translate(raised, "db", expired=False, mariadb=False)) is kind


def test_after_the_deadline_every_failure_is_the_time() -> None:
    error = translate(ValueError("closed"), "db", expired=True, mariadb=False)
    assert type(error) is errors.DatabaseUnreachable
    assert "in time" in str(error)


def test_an_error_within_an_error_of_the_driver_counts() -> None:
    outer = pymysql.OperationalError(2003, "Can't connect")
    outer.original_exception = ssl.SSLCertVerificationError("self-signed")  # type: ignore[attr-defined]  # the driver adds it
    outer.original_exception.verify_message = "self-signed"  # type: ignore[attr-defined]  # set by OpenSSL
    assert type(translate(outer, "db", expired=False, mariadb=False)) is errors.TlsFailed


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("9.7.4-2", (9, 7, 4)),
        ("8.0.14", (8, 0, 14)),
        ("10.11.18-MariaDB-0+deb12u1-log", (10, 11, 18)),
        ("5.5.5-10.4.3-MariaDB", (10, 4, 3)),
        ("8.0.mysql_aurora.3.08.0", (0, 0, 0)),
    ],
)
def test_a_version_is_read_from_what_the_server_says(text: str, version: tuple[int, ...]) -> None:
    assert version_of(text) == version


def test_a_server_that_has_not_greeted_is_not_mariadb() -> None:
    assert is_mariadb(pymysql.Connection(defer_connect=True)) is False
