"""`python -m benchmarks.recordings LOCALSTACK`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

from local.processes import HOST
from local.running_account import AccountError, RunningAccount
from local.toolchain import CHECKOUT

SUITE = Path("tests") / "aws" / "services" / "secretsmanager"
PYTHON = CHECKOUT / ".venv" / "recordings" / "bin" / "python"
PLUGIN = "benchmarks.recordings.adjustments"
OUTCOMES = {"failure": "fails", "error": "fails", "skipped": "skipped"}


def main() -> int:
    localstack = Path(*sys.argv[1:2]).resolve()
    if not (localstack / SUITE).is_dir():
        print(f"recordings: LOCALSTACK must be a checkout: no {SUITE} in it", file=sys.stderr)
        return 1
    try:
        outcomes = _run(localstack)
    except AccountError as error:
        print(f"recordings: {error}", file=sys.stderr)
        return 1
    print(f"LocalStack's tests of Secrets Manager, {_state(localstack)}, against this account:\n")
    for name, outcome in outcomes:
        print(f"  {outcome:<8} {name}")
    counted = Counter(outcome for _, outcome in outcomes)
    passed, failed, skipped = (counted[outcome] for outcome in ("passes", "fails", "skipped"))
    print(f"\n{passed} of {len(outcomes)} pass, {failed} fail, {skipped} are skipped.")
    return 0 if outcomes else 1


def _run(localstack: Path) -> list[tuple[str, str]]:
    """Each test with its outcome, snapshots compared.

    The functions that the tests deploy run on this environment's Python, the one that they name.
    """
    with (
        tempfile.TemporaryDirectory(prefix="rekey-recordings-") as folder,
        RunningAccount({"REKEY_LAMBDA_PYTHON": str(PYTHON)}) as account,
    ):
        report = Path(folder) / "report.xml"
        subprocess.run(
            _command(localstack, report),
            cwd=localstack,
            env=_environment(account.port, folder),
            stdout=sys.stderr,
            check=False,
        )
        return _outcomes(report) if report.exists() else []


def _command(localstack: Path, report: Path) -> list[str]:
    # Neither LocalStack's settings of pytest nor a cache in its folder.
    own = ["-c", os.devnull, "--rootdir", str(localstack), "-p", "no:cacheprovider"]
    shown = ["-p", PLUGIN, "--tb=no", "-q", "--no-header", "-W", "ignore"]
    return [str(PYTHON), "-m", "pytest", *own, *shown, f"--junit-xml={report}", str(SUITE)]


def _environment(port: int, folder: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": folder,
        "TMPDIR": folder,
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TEST_SKIP_LOCALSTACK_START": "1",
        "LOCALSTACK_HOST": f"{HOST}:{port}",
    }


def _outcomes(report: Path) -> list[tuple[str, str]]:
    cases = ET.parse(report).iter("testcase")  # noqa: S314 - pytest has just written it
    return [(case.attrib["name"], _outcome(case)) for case in cases]


def _outcome(case: ET.Element) -> str:
    return next((OUTCOMES[part.tag] for part in case if part.tag in OUTCOMES), "passes")


def _state(checkout: Path) -> str:
    command = ["git", "-C", str(checkout), "log", "-1", "--format=commit %h of %cs"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "commit not known"


if __name__ == "__main__":
    sys.exit(main())
