"""A real PostgreSQL server with TLS, for tests and the demo; gone when its block ends."""

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

from local import processes, unprivileged
from local.certificates import LOCAL_NAMES, Authority, ServerCertificate
from local.postgres_address import SUPERUSER, PostgresAddress
from local.postgres_installations import packaged

HOST = processes.HOST
PATIENCE = 30.0
SETTINGS: Mapping[str, str] = {
    "unix_socket_directories": "",
    "ssl": "on",
    "ssl_cert_file": "server.crt",
    "ssl_key_file": "server.key",
    "fsync": "off",
    "shared_buffers": "16MB",
    "shared_preload_libraries": "pg_stat_statements",
    "log_statement": "all",
    "log_connections": "on",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "password_encryption": "scram-sha-256",
}


class PostgresError(Exception):
    """The server did not start; the message holds the end of its log."""


class Postgres(PostgresAddress):
    """One server on a loopback address and a free port, in a temporary folder of its own.

    `binaries` is the folder of `initdb` and `postgres`: PostgreSQL 17's if none is named.

    Logins need TLS and SCRAM-SHA-256; `allow_plain` lets unencrypted ones in too. Everything
    that the server writes about statements and connections stands in `log`.
    """

    def __init__(
        self,
        *,
        settings: Mapping[str, str] | None = None,
        authority: Authority | None = None,
        certificate: ServerCertificate | None = None,
        allow_plain: bool = False,
        host: str = HOST,
        port: int | None = None,
        binaries: Path | None = None,
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="rekey-postgres-"))
        super().__init__(
            host=host,
            port=port or processes.free_port(),
            superuser=SUPERUSER,
            password=secrets.token_urlsafe(24),
            ca_file=self._folder / "ca.pem",
        )
        self._binaries = binaries or packaged()
        self.authority = authority or Authority.create()
        self._certificate = certificate or self.authority.issue(
            tuple(dict.fromkeys((*LOCAL_NAMES, host)))
        )
        self._settings = {**SETTINGS, "listen_addresses": host, **(settings or {})}
        self._allow_plain = allow_plain
        self._process: subprocess.Popen[bytes] | None = None
        self._data = self._folder / "data"
        self.log = self._folder / "server.log"
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

    def start(self) -> None:
        """Starts the server and waits until it takes connections."""
        command = [*self._prefix(), str(self._binaries / "postgres"), "-D", str(self._data)]
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        with self.log.open("ab") as log:
            # A session of its own, so that Ctrl-C reaches the server only through close().
            self._process = subprocess.Popen(
                [*command, f"--port={self.port}", *options],
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
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            processes.send(signal.SIGKILL, processes.family(process.pid))
            process.wait()

    def become_standby(self, *, answers_queries: bool) -> None:
        """Starts again as a standby: read-only, or not yet open for anybody."""
        self.stop()
        self._write("standby.signal", "")
        self._settings["hot_standby"] = "on" if answers_queries else "off"
        self.start()

    def logs(self) -> dict[str, bytes]:
        """All that the server has written, by name."""
        return {self.log.name: self.log.read_bytes()}

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """The server accepts connections and answers none, as on a host that hangs."""
        processes.send(signal.SIGSTOP, processes.family(self._running().pid))

    def resume(self) -> None:
        processes.send(signal.SIGCONT, processes.family(self._running().pid))

    def close(self) -> None:
        """Ends the server and removes all it wrote. May be called again."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
        atexit.unregister(self.close)

    def _create(self) -> None:
        password_file = self._folder / "password"
        password_file.write_text(self.password)
        self.ca_file.write_text(self.authority.pem)
        initdb = self._binaries / "initdb"
        prefix = self._prefix()
        self._hand_over(password_file)
        options = ["--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", "--no-sync"]
        who = [f"--username={SUPERUSER}", f"--pwfile={password_file}"]
        _run([*prefix, str(initdb), f"--pgdata={self._data}", *who, *options])
        password_file.unlink()
        self._write("server.crt", self._certificate.certificate)
        self._write("server.key", self._certificate.key)
        kind = "host" if self._allow_plain else "hostssl"
        self._write("pg_hba.conf", f"{kind} all all 127.0.0.0/8 scram-sha-256\n")

    def _prefix(self) -> tuple[str, ...]:
        return unprivileged.prefix(self._binaries / "postgres", self._folder)

    def _write(self, name: str, text: str) -> None:
        path = self._data / name
        path.write_text(text)
        path.chmod(0o600)
        self._hand_over(path)

    def _hand_over(self, path: Path) -> None:
        """Gives the file to whoever owns the folder: the user that the server runs as."""
        owner = self._folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise PostgresError("the server is stopped")
        return self._process

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._is_ready(process.pid):
            if process.poll() is not None or time.monotonic() > deadline:
                raise PostgresError(self.log.read_text()[-2000:])
            time.sleep(0.02)

    def _is_ready(self, pid: int) -> bool:
        """The server writes its state in the last line of its pid file.

        A standby that answers no queries is never more than "standby".
        """
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return lines[:1] == [str(pid)] and lines[-1].strip() in ("ready", "standby")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PostgresError(done.stdout[-1000:] + done.stderr[-1000:])
