"""Which MySQL and MariaDB servers this machine can run.

In this order: an address in REKEY_MYSQL_URL or REKEY_MARIADB_URL (see mysql_address), programs that
are installed, and Debian's packages, unpacked into `.venv/servers`. `python -m
local.mysql_installations` makes sure that both servers can be had, and starts none.
REKEY_SKIP names, by comma, those to do without.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local.debian_packages import Packages, PackagesError, loader, unpacked

SERVERS = Path(__file__).resolve().parent.parent / ".venv" / "servers"
PACKAGES = {
    # Debian's stable suites have no MySQL.
    "mysql": Packages("unstable", ("mysql-server-core",)),
    "mariadb": Packages("bookworm", ("mariadb-server-core",), alone=("mariadb-server",)),
}
NAMES = tuple(PACKAGES)
PROGRAMS = {"mysql": ("mysqld",), "mariadb": ("mariadbd", "mysqld")}


@dataclass(frozen=True)
class Installation:
    """A server's program, how it is started, and where its files lie."""

    name: str
    program: Path
    start: tuple[str, ...]
    messages: Path
    plugins: Path | None


def installation(name: str) -> Installation:
    """The server of this name, `mysql` or `mariadb`. Raises PackagesError."""
    return _installed(name) or _unpacked(name)


def address_of(name: str) -> str | None:
    """Where somebody says that the server of this name runs already."""
    return os.environ.get(f"REKEY_{name.upper()}_URL") or None


def skipped() -> frozenset[str]:
    """Those that somebody asked to do without."""
    return frozenset(filter(None, os.environ.get("REKEY_SKIP", "").split(",")))


def _installed(name: str) -> Installation | None:
    for program in PROGRAMS[name]:
        found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if found and _is(name, found):
            return Installation(name, Path(found), (found,), Path("/usr/share/mysql"), None)
    return None


def _is(name: str, program: str) -> bool:
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return ("MariaDB" in version.stdout) is (name == "mariadb")


def _unpacked(name: str) -> Installation:
    root = unpacked(PACKAGES[name], SERVERS / name)
    program = root / "usr/sbin" / PROGRAMS[name][0]
    start = (*loader(root), str(program))
    return Installation(
        name, program, start, root / "usr/share/mysql", root / "usr/lib/mysql/plugin"
    )


def what_to_do(name: str, error: PackagesError) -> str:
    """One line."""
    return (
        f"No {name} server: {error}. Install {name}-server, or give the address of one in "
        f"REKEY_{name.upper()}_URL and REKEY_{name.upper()}_CA, or do without: REKEY_SKIP={name}"
    )


def main(ensure: Callable[[str], object] = installation) -> int:
    """Make sure of every server that is neither skipped nor at an address."""
    for name in (name for name in NAMES if name not in skipped() and not address_of(name)):
        try:
            ensure(name)
        except PackagesError as error:
            print(what_to_do(name, error), file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
