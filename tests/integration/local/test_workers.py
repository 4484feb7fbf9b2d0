"""Tests in several processes that are told to stop, and which of them begin with what."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

import pytest

from local.toolchain import CHECKOUT
from tests.integration.account.conftest import until
from tests.workers import place

IN_TWO = ("-p", "tests.workers", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
HAS_A_SERVER = """
    import os, time
    from pathlib import Path
    import pytest

    HERE = Path(__file__).parent

    def note(what):
        (HERE / f"{os.getpid()}.{what}").touch()

    @pytest.fixture(scope="session")
    def server():
        yield
        note("ending")
        while not (HERE / "go on").exists():
            time.sleep(0.01)
        note("ended")

    def test_that_takes_long(server):
        note("running")
        while True:
            time.sleep(0.01)
"""


def those(folder: Path, what: str) -> set[int]:
    """Process ids."""
    return {int(path.stem) for path in folder.glob(f"*.{what}")}


def test_workers_that_are_told_to_stop_twice_end_their_servers(tmp_path: Path) -> None:
    for name in ("test_one.py", "test_other.py"):
        (tmp_path / name).write_text(textwrap.dedent(HAS_A_SERVER))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = (sys.executable, "-m", "pytest", *IN_TWO, "-c", str(tmp_path / "pytest.ini"))
    with subprocess.Popen([*command, str(tmp_path)], cwd=CHECKOUT) as run:
        try:
            until(lambda: len(those(tmp_path, "running")) == 2, 60)
            run.terminate()
            until(lambda: len(those(tmp_path, "ending")) == 2, 60)
            for pid in those(tmp_path, "ending"):
                os.kill(pid, signal.SIGINT)
        finally:
            (tmp_path / "go on").touch()
    assert run.returncode == pytest.ExitCode.INTERRUPTED
    assert those(tmp_path, "ended") == those(tmp_path, "running")


@pytest.mark.parametrize(
    ("folder", "fixtures", "where"),
    [
        ("workflows", ["deployed", "postgres"], 0),
        ("unit", [], 1),
        ("integration", ["mysql"], 2),
        ("integration", ["request"], 2),
        ("faults", ["request"], 3),
        ("faults", ["deployed"], 0),
    ],
)
def test_tests_without_servers_stand_between_those_of_the_application_and_of_databases(
    folder: str, fixtures: Iterable[str], where: int
) -> None:
    assert place(Path("tests") / folder / "test_it.py", set(fixtures)) == where
