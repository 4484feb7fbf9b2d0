"""`make demo`, run as a person runs it; and what it leaves behind, which must be nothing."""

import ctypes
import io
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from rich.console import Console

from local.demo import scenes
from local.demo.__main__ import close
from local.demo.screen import Screen
from local.demo.stage import Stage
from local.postgres import Postgres
from local.processes import HOST
from local.toolchain import CHECKOUT
from tests.conftest import Deployed

DEMO = (sys.executable, "-m", "local.demo")
ON_A_TERMINAL = (
    sys.executable,
    "-c",
    "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))",
    *DEMO,
)
CTRL_C = b"\x03"
PR_SET_CHILD_SUBREAPER = 36
PORT = re.compile(rf"{re.escape(HOST)}:(\d+)")
PATIENCE = 600.0
"""Others may deploy first: sam runs once at a time on a machine."""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def left() -> Iterator[Callable[[], set[int]]]:
    """What runs and was started since; orphans too, for they become this process's children."""
    prctl = ctypes.CDLL(None).prctl
    assert prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    before = descendants(os.getpid())
    yield lambda: descendants(os.getpid()) - before
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the demo writes temporary files; whichever user runs PostgreSQL can reach it."""
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def descendants(pid: int) -> set[int]:
    """Processes below this one that still run: not those that only wait to be reaped."""
    found: set[int] = set()
    with suppress(FileNotFoundError, ProcessLookupError):
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in map(int, children.read_text().split()):
                found |= {child} if is_running(child) else set()
                found |= descendants(child)
    return found


def is_running(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def command(pid: int) -> str:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def started(program: tuple[str, ...], folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        program,
        cwd=CHECKOUT,
        env={**os.environ, "TMPDIR": str(folder), "TERM": "xterm", "COLUMNS": "100"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def read_until(process: subprocess.Popen[bytes], text: str) -> str:
    """What the demo writes, up to this text."""
    assert process.stdout
    said = b""
    while text.encode() not in said:
        piece = os.read(process.stdout.fileno(), 4096)
        assert piece, said.decode()
        said += piece
    return said.decode()


def the_rest(process: subprocess.Popen[bytes]) -> str:
    said, _ = process.communicate()
    return said.decode()


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((HOST, port)) == 0


def until(condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true in time."""
    limit = time.monotonic() + PATIENCE
    while not (met := condition()) and time.monotonic() < limit:
        time.sleep(0.01)
    return met


def assert_nothing_is_left(left: Callable[[], set[int]], folder: Path, said: str) -> None:
    assert [command(pid) for pid in left()] == []
    assert not [port for port in set(map(int, PORT.findall(said))) if listens(port)]
    assert list(folder.iterdir()) == []


def test_the_demo_shows_that_every_claim_holds_and_leaves_nothing(
    left: Callable[[], set[int]], folder: Path
) -> None:
    demo = started(DEMO, folder)
    said = the_rest(demo)
    assert demo.returncode == 0, said
    table = said.partition("What was claimed, and what was seen")[2]
    assert len(re.findall(r" pass\s*$", table, re.MULTILINE)) == 16
    assert "16 of 16 claims hold." in table
    assert "FAIL" not in said
    assert "\x1b" not in said, "escape sequences do not belong into a pipe"
    assert max(map(len, said.splitlines())) <= 100
    assert_nothing_is_left(left, folder, said)


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("Starting", signal.SIGTERM),
        ("PostgreSQL 17", signal.SIGHUP),
    ],
    ids=["while PostgreSQL starts", "while the account starts"],
)
def test_a_demo_that_is_told_to_stop_leaves_nothing(
    left: Callable[[], set[int]], folder: Path, moment: str, number: signal.Signals
) -> None:
    demo = started(DEMO, folder)
    said = read_until(demo, moment)
    demo.send_signal(number)
    said += the_rest(demo)
    assert demo.returncode == 128 + number, said
    assert said.endswith("Interrupted. Everything that was started has ended.\n")
    assert_nothing_is_left(left, folder, said)


def test_a_demo_that_is_told_to_stop_while_sam_works_ends_sam_too(
    left: Callable[[], set[int]], folder: Path
) -> None:
    demo = started(DEMO, folder)
    said = read_until(demo, "Lambda layer")
    assert until(lambda: any("sam build" in command(pid) for pid in left()))
    demo.terminate()
    said += the_rest(demo)
    assert demo.returncode == 128 + signal.SIGTERM, said
    assert_nothing_is_left(left, folder, said)


def test_ctrl_c_on_a_terminal_in_the_midst_of_a_rotation_leaves_nothing(
    left: Callable[[], set[int]], folder: Path
) -> None:
    demo = started(ON_A_TERMINAL, folder)
    said = read_until(demo, "createSecret")
    assert demo.stdin
    demo.stdin.write(CTRL_C)
    demo.stdin.flush()
    said += the_rest(demo)
    assert demo.returncode == 128 + signal.SIGINT, said
    assert "Interrupted. Everything that was started has ended." in said
    hidden, shown = said.rfind("\x1b[?25l"), said.rfind("\x1b[?25h")
    assert shown > hidden > 0, "the cursor is back"
    assert_nothing_is_left(left, folder, said)


def test_a_claim_that_does_not_hold_is_shown_and_fails_the_demo(deployed: Deployed) -> None:
    """A password really stands in PostgreSQL's log here."""
    console = Console(file=io.StringIO(), width=100)
    screen = Screen(console)
    with Postgres(authority=deployed.authority) as server:
        server.execute(f"SELECT '{server.password}'")
        stage = Stage(server, deployed.account, deployed.outputs)
        found = scenes.play(stage, screen)
    assert [claim.what for claim in found if not claim.holds] == [
        "No password is in any log or record"
    ]
    assert close(screen, found, seconds=0) == 1
    assert isinstance(console.file, io.StringIO)
    said = console.file.getvalue()
    assert re.search(
        r"No password is in any log or record +1 times in PostgreSQL's log +FAIL", said
    )
    assert "12 of 13 claims hold." in said
