"""Commands that this machine runs for a while."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.processes import run

PARENT = """
import pathlib, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
child.wait()
"""


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    noted = tmp_path / "child"
    with pytest.raises(subprocess.TimeoutExpired):
        run([sys.executable, "-c", PARENT, str(noted)], seconds=3)
    child = Path("/proc", noted.read_text())
    assert not child.exists() or " Z " in (child / "stat").read_text()


def test_a_command_s_status_is_told() -> None:
    assert run([sys.executable, "-c", "raise SystemExit(3)"], seconds=60) == 3
