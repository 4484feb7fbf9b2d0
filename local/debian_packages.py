"""Unpacks Debian packages, with all that they need, into a folder of the project's own.

No rights are needed and nothing of the machine changes: apt works on lists and a cache below that
folder, as if nothing were installed, and dpkg-deb unpacks what it brings. Signatures are checked.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
PROGRAMS = ("apt-get", "dpkg-deb")


class PackagesError(Exception):
    """The packages cannot be had here; one line says why."""


@dataclass(frozen=True)
class Packages:
    """Packages of one suite; `alone` are unpacked without what they depend on."""

    suite: str
    names: tuple[str, ...]
    alone: tuple[str, ...] = ()

    @property
    def stamp(self) -> str:
        return " ".join((self.suite, *self.names, *self.alone))


def unpacked(packages: Packages, folder: Path) -> Path:
    """The folder in which the packages lie unpacked; they are fetched if they are not there yet."""
    root, stamp = folder / "root", folder / "stamp"
    if stamp.is_file() and stamp.read_text() == packages.stamp:
        return root
    _check_machine()
    print(
        f"Unpacking Debian's {', '.join(packages.names)} ({packages.suite}) into {folder}",
        flush=True,
    )
    shutil.rmtree(folder, ignore_errors=True)
    apt = _Apt(folder, packages.suite)
    apt.run("update")
    apt.run("install", "--yes", "--download-only", *packages.names)
    for archive in sorted(apt.archives.glob("*.deb")):
        _run("dpkg-deb", "-x", str(archive), str(root))
    for name in packages.alone:
        apt.run("download", name, cwd=apt.archives)
        for archive in apt.archives.glob(f"{name}_*.deb"):
            _run("dpkg-deb", "-x", str(archive), str(root))
    shutil.rmtree(apt.state)
    stamp.write_text(packages.stamp)
    return root


def loader(root: Path) -> list[str]:
    """What runs a program below `root` with the libraries that lie there too."""
    found = sorted(root.glob("usr/lib/*/ld-linux-*.so.*")) or sorted(
        root.glob("lib/*/ld-linux-*.so.*")
    )
    if not found:
        raise PackagesError(f"no dynamic loader below {root}")
    triplet = found[0].parent.name
    libraries = ":".join(str(root / part / triplet) for part in ("usr/lib", "lib"))
    return [str(found[0]), "--library-path", libraries]


class _Apt:
    """apt-get with a state of its own."""

    def __init__(self, folder: Path, suite: str) -> None:
        self.state = folder / "apt"
        self.archives = self.state / "cache" / "archives"
        for part in ("lists/partial", "cache/archives/partial", "sources", "preferences"):
            (self.state / part).mkdir(parents=True)
        (self.state / "status").touch()
        (self.state / "sources" / "debian.sources").write_text(
            f"Types: deb\nURIs: {_mirror()}\nSuites: {suite}\nComponents: main\n"
            f"Signed-By: {KEYRING}\n"
        )

    def run(self, *arguments: str, cwd: Path | None = None) -> None:
        options = {
            "Dir::State": self.state,
            "Dir::State::Lists": self.state / "lists",
            "Dir::State::status": self.state / "status",
            "Dir::Cache": self.state / "cache",
            "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": self.state / "sources",
            "Dir::Etc::preferencesparts": self.state / "preferences",
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "root",
            "Debug::NoLocking": "1",
        }
        flags = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        _run("apt-get", "-q", *flags, *arguments, cwd=cwd)


def _check_machine() -> None:
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing or not KEYRING.is_file():
        raise PackagesError(f"{', '.join(missing) or KEYRING} is not on this machine")


def _mirror() -> str:
    """Where this machine has Debian's own packages from."""
    targets = ("--format", "$(SITE)", "Created-By: Packages", "Label: Debian")
    done = subprocess.run(
        ["apt-get", "indextargets", *targets], capture_output=True, text=True, check=False
    )
    sites = [line.strip() for line in done.stdout.splitlines() if line.strip().endswith("/debian")]
    if not sites:
        raise PackagesError("apt knows no archive of Debian here")
    return sites[0]


def _run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackagesError(
            f"{command[0]} failed: {(done.stderr.strip() or done.stdout).splitlines()[-1]}"
        )
