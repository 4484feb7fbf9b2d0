"""No password in anything that a server writes or remembers."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from local.mysql import Mysql
from rekey import errors
from rekey.engines.mysql import hashes
from tests.integration.mysql.account import Account, new_password
from tests.integration.mysql.alternating import Users

FILES = ("general_log_file", "slow_query_log_file", "log_error")
SETTINGS = {"general_log": "ON", "slow_query_log": "ON", "long_query_time": "0"}
REMEMBERED = (
    "events_statements_current",
    "events_statements_history",
    "events_statements_history_long",
    "events_statements_summary_by_digest",
)


@contextmanager
def everything_logged(account: Account) -> Iterator[None]:
    before = {name: account.running.execute(f"SELECT @@global.{name}")[0][0] for name in SETTINGS}
    account.running.execute(
        *(f"SET GLOBAL {name} = {value}" for name, value in SETTINGS.items()),
        "SET GLOBAL log_output = 'FILE'",
    )
    # MariaDB remembers no statement unless it is told to, by a consumer and by an instrument.
    account.running.execute(
        "UPDATE performance_schema.setup_consumers SET enabled = 'YES'"
        " WHERE name LIKE 'events_statements%' OR name LIKE '%instrumentation'",
        "UPDATE performance_schema.setup_instruments SET enabled = 'YES'"
        " WHERE name LIKE 'statement/%'",
    )
    try:
        yield
    finally:
        account.running.execute(*(f"SET GLOBAL {name} = {old}" for name, old in before.items()))


def files(account: Account) -> dict[str, Path]:
    """The server's logs; skips where they cannot be read from here."""
    folder = Path(account.running.execute("SELECT @@datadir")[0][0])
    found = {
        name: folder / account.running.execute(f"SELECT @@global.{name}")[0][0] for name in FILES
    }
    with suppress(Exception):  # No binary log is on.
        for row in account.running.execute("SHOW BINARY LOGS"):
            found[row[0]] = folder / row[0]
    readable = {name: path for name, path in found.items() if path.is_file()}
    if "general_log_file" not in readable:
        assert not isinstance(account.running, Mysql), f"no general log in {folder}"
        pytest.skip("the logs of the server at this address cannot be read from here")
    return readable


def written(account: Account) -> dict[str, bytes]:
    """All that the server has written, and all that it remembers."""
    account.running.execute("FLUSH LOGS")
    texts = {name: path.read_bytes() for name, path in files(account).items()}
    for table in REMEMBERED:
        rows = account.running.execute(f"SELECT * FROM performance_schema.{table}")
        texts[table] = repr(rows).encode()
    return texts


def forms(password: str) -> list[bytes]:
    plain = password.encode()
    return [plain, base64.b64encode(plain), plain.hex().encode(), plain.hex().upper().encode()]


def places(account: Account, *passwords: str) -> list[str]:
    return [
        name
        for name, text in written(account).items()
        for password in passwords
        if any(form in text for form in forms(password))
    ]


def change_in_every_way(account: Account) -> list[str]:
    """Make every kind of change that the engine makes, and return the passwords."""
    own, given, pending = new_password(), new_password(), new_password()
    with account.connect(account.name, account.password) as connection:
        connection.set_password(account.name, own)
    account.set_by_superuser(given)
    account.give_two(given, pending)
    account.give_two(given, pending)
    account.retire(pending)
    assert account.works(own, given, pending) == [False, False, True]
    users = Users(account)
    users.provide(users.clone)
    users.provide(users.base)
    return [own, given, pending, *users.passwords.values()]


def test_no_password_is_in_anything_that_the_server_writes_or_remembers(account: Account) -> None:
    with everything_logged(account):
        passwords = change_in_every_way(account)
        texts = written(account)
        assert places(account, *passwords) == []
        assert account.name.encode() in texts["general_log_file"]
        assert any(b"ALTER USER" in texts[name] for name in texts if "bin" in name)


def test_a_change_that_is_refused_leaves_no_password_either(mysql_account: Account) -> None:
    """The statement of a user for itself is the one that carries it in clear."""
    account, second = mysql_account, new_password()
    account.alter("PASSWORD HISTORY 5")
    with everything_logged(account):
        with account.connect(account.name, account.password) as connection:
            connection.set_password(account.name, second)
        with (
            account.connect(account.name, second) as connection,
            pytest.raises(errors.PasswordRefused) as refused,
        ):
            connection.set_password(account.name, second)
        assert places(account, second) == []
        assert second not in str(refused.value)


def test_a_server_that_logs_raw_statements_gets_no_password(mysql_account: Account) -> None:
    account, new = mysql_account, new_password()
    try:
        account.running.execute("SET GLOBAL log_raw = ON")
        with everything_logged(account):
            with (
                account.connect(account.name, account.password) as connection,
                pytest.raises(errors.PlaintextRefused, match="log_raw"),
            ):
                connection.set_password(account.name, new)
            account.set_by_superuser(new)
            assert places(account, new) == []
    finally:
        account.running.execute("SET GLOBAL log_raw = OFF")
    assert account.works(account.password, new) == [False, True]


def test_the_search_finds_a_password_that_is_there(account: Account) -> None:
    """The other tests could not fail if it did not."""
    marked = new_password()
    with everything_logged(account):
        account.running.execute(f"SELECT '{marked}'")
        found = places(account, marked)
        assert {"general_log_file", "slow_query_log_file"} <= set(found)
        if account.running.execute("SELECT @@global.performance_schema")[0][0]:
            assert "events_statements_history_long" in found


def test_the_hash_is_all_that_the_server_gets_of_a_password_of_mariadb(
    mariadb_account: Account,
) -> None:
    account, new = mariadb_account, new_password()
    with everything_logged(account):
        with account.connect(account.name, account.password) as connection:
            connection.set_password(account.name, new)
        assert places(account, new) == []
    stored = account.running.execute(
        f"SELECT authentication_string FROM mysql.user WHERE user = '{account.name}'"
    )
    assert stored[0][0] == hashes.native(new)
