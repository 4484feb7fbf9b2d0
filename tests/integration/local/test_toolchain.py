import hashlib
import os
import platform
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from local import toolchain
from local.toolchain import CHECKOUT, Environment, ToolchainError


class Version(NamedTuple):
    major: int
    minor: int


@pytest.mark.parametrize("version", [Version(3, 10), Version(3, 15)])
def test_another_python_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, version: Version
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(ToolchainError, match=rf"3\.11 to 3\.14 .* this is 3\.{version.minor}"):
        toolchain.check_machine()


@pytest.mark.parametrize(("system", "machine"), [("darwin", "x86_64"), ("linux", "riscv64")])
def test_another_machine_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(ToolchainError, match=rf"x86-64 or arm64 is needed, .* {machine}$"):
        toolchain.check_machine()


def test_an_older_c_library_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.31"))
    with pytest.raises(ToolchainError, match=r"glibc 2\.34 or newer .* this is glibc 2\.31"):
        toolchain.check_machine()


def test_an_unknown_environment_is_refused_by_name() -> None:
    with pytest.raises(ToolchainError, match="no environment 'nosuch'"):
        toolchain.selected(["nosuch"])


def test_environments_that_are_current_are_left_alone() -> None:
    done = subprocess.run(
        [CHECKOUT / ".venv" / "dev" / "bin" / "python", "-m", "local.toolchain"],
        cwd=CHECKOUT,
        env={"PATH": os.defpath, "PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""


def wheel(folder: Path) -> Path:
    """A package without content."""
    path = folder / "small-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        about = "small-1.0.dist-info/"
        archive.writestr(about + "METADATA", "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n")
        archive.writestr(about + "WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(about + "RECORD", "")
    return path


def test_an_environment_is_made_anew_if_its_pins_change_and_never_by_a_wrong_hash(
    tmp_path: Path,
) -> None:
    (tmp_path / "requirements").mkdir()
    package = wheel(tmp_path)
    environment = Environment("small", "shown to work", 1, tmp_path)

    def pin(digest: str) -> None:
        environment.requirements.write_text(f"--no-index\n{package} --hash=sha256:{digest}\n")

    with toolchain.only_one(tmp_path):
        pin(hashlib.sha256(package.read_bytes()).hexdigest())
        assert not environment.is_current()
        toolchain.build(environment)
        assert environment.is_current()
        pin("0" * 64)
        assert not environment.is_current()
        with pytest.raises(ToolchainError, match=r"pip could not fill \.venv/small"):
            toolchain.build(environment)
        assert not environment.is_current()
