"""The MySQL and MariaDB servers that tests and the demo run on."""

import os
import socket
from pathlib import Path

import pymysql
import pytest

from local.debian_packages import PackagesError
from local.mysql import Mysql
from local.mysql_address import AddressError, at_address
from local.mysql_installations import NAMES, main
from tests.mysql_database import owned


@pytest.fixture(params=NAMES)
def server(request: pytest.FixtureRequest) -> Mysql:
    return owned(request.getfixturevalue(request.param))


def test_a_login_without_tls_is_refused(server: Mysql) -> None:
    with pytest.raises(pymysql.err.OperationalError):
        pymysql.connect(
            host=server.host,
            port=server.port,
            user=server.superuser,
            password=server.password,
            ssl_disabled=True,
        )


def test_it_listens_on_the_loopback_address_only(server: Mysql) -> None:
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    port = f"{server.port:04X}"
    addresses = {
        local.partition(":")[0]
        for _, local, _, state, *_ in listening
        if local.endswith(f":{port}") and state == "0A"
    }
    assert addresses == {socket.inet_aton("127.0.0.1")[::-1].hex().upper()}


def test_it_writes_all_its_logs_and_its_own_password_to_none(server: Mysql) -> None:
    server.execute("SELECT 'a statement to find'")
    while b"a statement to find" not in server.logs()["slow.log"]:
        pass  # MariaDB writes it after it has answered.
    logs = server.logs()
    assert b"a statement to find" in logs["general.log"]
    assert {"error.log", "binlog.index"} <= set(logs)
    assert not any(server.password.encode() in log for log in logs.values())


def test_nothing_of_it_is_left_when_its_block_ends() -> None:
    with Mysql("mariadb") as server:
        folder, pid = server.ca_file.parent, int((server.ca_file.parent / "pid").read_text())
        server.restart()
        assert server.execute("SELECT 1") == [(1,)]
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_server_that_cannot_be_had_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise PackagesError(f"nothing of {name}")

    for name in NAMES:
        monkeypatch.delenv(f"REKEY_{name.upper()}_URL", raising=False)
    monkeypatch.setenv("REKEY_SKIP", "mysql")
    assert main(missing) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "nothing of mariadb" in said
    assert "REKEY_SKIP=mariadb" in said
    monkeypatch.setenv("REKEY_SKIP", "mysql,mariadb")
    assert main(missing) == 0


def test_a_server_at_an_address_is_looked_for_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    looked_for: list[str] = []
    monkeypatch.delenv("REKEY_SKIP", raising=False)
    monkeypatch.delenv("REKEY_MARIADB_URL", raising=False)
    monkeypatch.setenv("REKEY_MYSQL_URL", "mysql://ad%40min:pass%3Aword@db.example.com:3307")
    monkeypatch.setenv("REKEY_MYSQL_CA", str(tmp_path / "missing.pem"))
    assert main(looked_for.append) == 0
    assert looked_for == ["mariadb"]
    with pytest.raises(AddressError, match="REKEY_MYSQL_CA"):
        at_address("mysql")
    (tmp_path / "missing.pem").touch()
    found = at_address("mysql")
    assert found is not None
    assert (found.host, found.port) == ("db.example.com", 3307)
    assert (found.superuser, found.password) == ("ad@min", "pass:word")
    assert at_address("mariadb") is None
