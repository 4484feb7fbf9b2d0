"""Makes the environments that the project's tools run in: `python3 -m local.toolchain [name ...]`.

Standard library only, and it parses on Pythons older than the ones it supports, because it
is the first thing that a fresh machine runs. Each environment is a `.venv/<name>` holding what
`requirements/<name>.txt` pins by hash. A stamp of those pins and of the Python makes a second
run a matter of milliseconds, without network.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
import venv
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHECKOUT = Path(__file__).resolve().parent.parent
OLDEST, NEWEST = (3, 11), (3, 14)
MACHINES = ("x86_64", "aarch64")
OLDEST_GLIBC = (2, 34)


class ToolchainError(Exception):
    """An environment cannot be made here; the message is one line that says what to change."""


@dataclass(frozen=True)
class Environment:
    """One `.venv/<name>`; `size` is what it takes on disk, in megabytes, roughly."""

    name: str
    purpose: str
    size: int
    checkout: Path = CHECKOUT

    @property
    def folder(self) -> Path:
        return self.checkout / ".venv" / self.name

    @property
    def requirements(self) -> Path:
        return self.checkout / "requirements" / f"{self.name}.txt"

    @property
    def sources(self) -> Path:
        """Pins of packages without a wheel: compiled here, with what `requirements` holds."""
        return self.requirements.with_name(f"{self.name}-source.txt")

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> Path:
        return self.folder / ".stamp"

    def fingerprint(self) -> str:
        """What the stamp must say: the Python and the hash of the pins."""
        sources = self.sources.read_bytes() if self.sources.is_file() else b""
        pins = hashlib.sha256(self.requirements.read_bytes() + sources).hexdigest()
        return f"{platform.python_version()} {sys.base_prefix} {pins}\n"

    def is_current(self) -> bool:
        return self.stamp.is_file() and self.stamp.read_text() == self.fingerprint()


ENVIRONMENTS = (
    Environment("dev", "tests, linters and a PostgreSQL 17 server", 260),
    Environment("sam", "AWS SAM CLI and cfn-lint", 340),
    Environment("account", "the AWS account on this machine", 215),
    Environment("lambda", "the Lambda runtime that functions run behind", 65),
    Environment("cli", "the AWS CLI, with which tests read secrets", 195),
)
ON_REQUEST = (
    Environment("lock", "uv, which writes the pins anew", 65),
    Environment("compare", "the driver of AWS's templates, compiled here", 30),
    Environment("recordings", "what LocalStack's tests run with", 245),
)


def check_machine() -> None:
    """Raises ToolchainError where the pinned wheels cannot run."""
    version = sys.version_info[:2]
    if not OLDEST <= version <= NEWEST:
        raise ToolchainError(
            f"Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]} is needed, and this is"
            f" {version[0]}.{version[1]}: name another one, as in `make PYTHON=python3.13 ...`"
        )
    if sys.platform != "linux" or platform.machine() not in MACHINES:
        raise ToolchainError(
            f"Linux on x86-64 or arm64 is needed, and this is {platform.system()}"
            f" on {platform.machine()}"
        )
    library, release = platform.libc_ver()
    if library != "glibc" or tuple(map(int, release.split("."))) < OLDEST_GLIBC:
        raise ToolchainError(
            f"glibc 2.34 or newer is needed (Debian 12, Ubuntu 22.04, Amazon Linux 2023),"
            f" and this is {library or 'another C library'} {release}".rstrip()
        )


def selected(names: Sequence[str]) -> list[Environment]:
    """The environments of these names, or the usual ones if there is no name."""
    known = {environment.name: environment for environment in ENVIRONMENTS + ON_REQUEST}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ToolchainError(f"no environment {unknown[0]!r}; there are {', '.join(known)}")
    return [known[name] for name in names] if names else list(ENVIRONMENTS)


@contextmanager
def only_one(checkout: Path) -> Iterator[None]:
    """Two runs at once would write into one environment: the second one waits."""
    (checkout / ".venv").mkdir(exist_ok=True)
    with (checkout / ".venv" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def announce(missing: Sequence[Environment], checkout: Path) -> None:
    print(f"Installing from PyPI, by hash, into {checkout / '.venv'} and nowhere else:")
    for environment in missing:
        print(f"  {environment.name:<8} {environment.size:>4} MB  {environment.purpose}")
    sys.stdout.flush()


def build(environment: Environment) -> None:
    """Makes the environment anew; pip's words go to its log and are shown if it fails."""
    shutil.rmtree(environment.folder, ignore_errors=True)
    with environment.log.open("w") as log:
        create_venv(environment)
        for arguments in (*installations(environment), ["check"]):
            run_pip(environment, arguments, log.fileno())
    environment.stamp.write_text(environment.fingerprint())


def create_venv(environment: Environment) -> None:
    try:
        venv.create(environment.folder, with_pip=True, symlinks=True)
    except subprocess.CalledProcessError as error:
        raise ToolchainError(
            f"{sys.executable} cannot make an environment with pip;"
            " on Debian and Ubuntu `apt-get install python3-venv` adds what it lacks"
        ) from error


def installations(environment: Environment) -> Iterator[list[str]]:
    # The pins name every package, so pip has nothing to resolve and, as a rule, to compile.
    install = ["install", "--require-hashes", "--no-deps", "--no-input"]
    yield [*install, "--only-binary=:all:", "-r", str(environment.requirements)]
    if environment.sources.is_file():
        compile_here = ["--no-binary=:all:", "--no-build-isolation"]
        yield [*install, *compile_here, "-r", str(environment.sources)]


def run_pip(environment: Environment, arguments: list[str], log: int) -> None:
    command = [str(environment.python), "-m", "pip", "--disable-pip-version-check", *arguments]
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, stdout=log, stderr=log, env=clean, check=False)
    if done.returncode:
        tail = environment.log.read_text().splitlines()[-15:]
        print("\n".join(tail), file=sys.stderr)
        raise ToolchainError(f"pip could not fill .venv/{environment.name}: {environment.log}")


def ensure(names: Sequence[str] = (), checkout: Path = CHECKOUT) -> None:
    """Makes those of the named environments that are missing or out of date."""
    check_machine()
    environments = selected(names)
    with only_one(checkout):
        missing = [environment for environment in environments if not environment.is_current()]
        if missing:
            announce(missing, checkout)
        for environment in missing:
            started = time.monotonic()
            build(environment)
            print(f"  {environment.name} is ready, {time.monotonic() - started:.0f} s", flush=True)


def main() -> int:
    try:
        ensure(sys.argv[1:])
    except ToolchainError as error:
        print(f"toolchain: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
