"""A real MySQL or MariaDB server with TLS, for tests and the demo; gone when its block ends."""

import atexit
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pymysql

from local import processes, unprivileged
from local.certificates import LOCAL_NAMES, Authority
from local.mysql_address import PATIENCE, SUPERUSER, MysqlAddress
from local.mysql_installations import Installation, installation

HOST = processes.HOST
SETTINGS: Mapping[str, str] = {
    "bind-address": HOST,
    "skip-name-resolve": "ON",
    "require-secure-transport": "ON",
    "general-log": "ON",
    "slow-query-log": "ON",
    "long-query-time": "0",
    "log-bin": "binlog",
    "server-id": "1",
    "binlog-format": "STATEMENT",
    "performance-schema": "ON",
    "innodb-buffer-pool-size": "32M",
    "innodb-flush-log-at-trx-commit": "0",
    "sync-binlog": "0",
}
ONLY_MYSQL: Mapping[str, str] = {"mysqlx": "OFF", "secure-file-priv": "NULL"}
SYSTEM_TABLES = (
    "mysql_system_tables.sql",
    "mysql_performance_tables.sql",
    "mysql_system_tables_data.sql",
    "mysql_sys_schema.sql",
)


class MysqlError(Exception):
    """The server did not start; the message holds the end of its log."""


class Mysql(MysqlAddress):
    """One server on a loopback address and a free port, in a temporary folder of its own.

    `name` is `mysql` or `mariadb`. Logins need TLS; `settings` with `require-secure-transport` =
    `OFF` lets unencrypted ones in too. Whatever the server writes about statements lies in `logs`.
    """

    def __init__(
        self,
        name: str,
        *,
        authority: Authority | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.authority = authority or Authority.create()
        self._settings = {**SETTINGS, **(ONLY_MYSQL if name == "mysql" else {}), **(settings or {})}
        self._installation: Installation = installation(name)
        # The server's socket lies in it, and the path of a socket must be short.
        self._folder = Path(tempfile.mkdtemp(prefix=f"rekey-{name}-"))
        super().__init__(
            name=name,
            host=HOST,
            port=processes.free_port(),
            superuser=SUPERUSER,
            password=secrets.token_urlsafe(24),
            ca_file=self._folder / "ca.pem",
        )
        self._data = self._folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def __enter__(self) -> Self:
        try:
            self._create()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def logs(self) -> dict[str, bytes]:
        """All that the server has written: error, general, slow and binary log, by name."""
        found = [
            *self._data.glob("*.log"),
            *self._data.glob("binlog.*"),
            self._folder / "error.log",
        ]
        return {path.name: path.read_bytes() for path in found}

    def start(self) -> None:
        """Starts the server and waits until it takes connections."""
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        with (self._folder / "error.log").open("ab") as log:
            # A session of its own, so that Ctrl-C reaches the server only through close().
            self._process = subprocess.Popen(
                [*self._program(), *options, *self._files(), f"--port={self.port}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_ready(self._process)

    def stop(self) -> None:
        """Ends every session and the server; its data stays for the next start."""
        process, self._process = self._process, None
        if process is None:
            return
        processes.send(signal.SIGCONT, processes.family(process.pid))
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            processes.send(signal.SIGKILL, processes.family(process.pid))
            process.wait()

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        """Ends the server and removes all it wrote. May be called again."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
        atexit.unregister(self.close)

    def _create(self) -> None:
        self._data.mkdir()
        certificate = self.authority.issue(LOCAL_NAMES)
        self.ca_file.write_text(self.authority.pem)
        (self._folder / "server.crt").write_text(certificate.certificate)
        (self._folder / "server.key").write_text(certificate.key)
        (self._folder / "first.sql").write_text("\n".join(self._first_statements()))
        self._prefix = unprivileged.prefix(self._installation.program, self._folder)
        owner = self._folder.stat()
        for path in self._folder.iterdir():
            os.chown(path, owner.st_uid, owner.st_gid)
            path.chmod(0o700)
        if self.mariadb:
            _run([*self._program(), "--bootstrap", "--innodb-buffer-pool-size=16M"], self._tables())
        else:
            _run([*self._program(), "--initialize-insecure"], "")

    def _first_statements(self) -> list[str]:
        """Run at each start; none of them stands in the binary log. One statement a line."""
        who, password = f"'{self.superuser}'@'%'", f"'{self.password}'"
        return [
            "SET sql_log_bin = 0;",
            "SET GLOBAL general_log = OFF;",
            f"CREATE USER IF NOT EXISTS {who} IDENTIFIED BY {password};",
            f"GRANT ALL PRIVILEGES ON *.* TO {who} WITH GRANT OPTION;",
            "SET GLOBAL general_log = ON;",
        ]

    def _tables(self) -> str:
        scripts = [(self._installation.messages / name).read_text() for name in SYSTEM_TABLES]
        first = ["CREATE DATABASE mysql;", "USE mysql;", "SET @auth_root_socket = NULL;"]
        return "\n".join([*first, *scripts])

    def _program(self) -> list[str]:
        """The server's program with what it needs to find its own files, and no other settings."""
        found = self._installation
        plugins = [f"--plugin-dir={found.plugins}"] if found.plugins else []
        messages = f"--lc-messages-dir={found.messages}"
        where = [f"--datadir={self._data}", f"--tmpdir={self._folder}", messages, *plugins]
        return [*self._prefix, *found.start, "--no-defaults", *where]

    def _files(self) -> list[str]:
        names = {
            "ssl-ca": self.ca_file,
            "ssl-cert": self._folder / "server.crt",
            "ssl-key": self._folder / "server.key",
            "init-file": self._folder / "first.sql",
            "socket": self._folder / "socket",
            "pid-file": self._folder / "pid",
            "general-log-file": self._data / "general.log",
            "slow-query-log-file": self._data / "slow.log",
        }
        return [f"--{name}={path}" for name, path in names.items()]

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise MysqlError((self._folder / "error.log").read_text()[-2000:])
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            self.connect().close()
        except (pymysql.Error, OSError):
            return False
        return True


def _run(command: list[str], statements: str) -> None:
    done = subprocess.run(command, input=statements, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MysqlError(done.stdout[-1000:] + done.stderr[-1000:])
