"""`python -m benchmarks.compare TEMPLATES [--rounds N] [--markdown]`."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from benchmarks.compare import ca_file, code
from benchmarks.compare.probes import cost, crashes, faults, ownership, tls
from benchmarks.compare.stage import Stage, set_up
from benchmarks.compare.table import Row, markdown, show
from benchmarks.compare.templates import CompareError, Templates
from local import toolchain
from local.deploy import DeployError
from local.postgres import PostgresError
from local.running_account import AccountError
from local.toolchain import CHECKOUT, ToolchainError

ENVIRONMENT = CHECKOUT / ".venv" / "compare"
DRIVER_VERSION = """
import importlib.metadata, pg
print(importlib.metadata.version("PyGreSQL"), "with libpq", pg.get_pqlib_version() // 10000)
"""


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = _arguments()
    try:
        templates = Templates(arguments.templates.resolve())
        rows, conditions = _compared(templates, _driver(), arguments.rounds)
    except (CompareError, ToolchainError, DeployError, PostgresError, AccountError) as error:
        print(f"compare: {error}", file=sys.stderr)
        return 1
    if arguments.markdown:
        print(markdown(rows, conditions))
    else:
        show(Console(), rows, conditions)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="compare", description=__doc__)
    parser.add_argument("templates", type=Path, help="checkout of AWS's rotation templates")
    parser.add_argument("--rounds", type=int, default=15, help="timed rotations of each kind")
    parser.add_argument("--markdown", action="store_true", help="as docs/comparison.md has it")
    return parser.parse_args()


def _driver() -> Path:
    """The folder with PyGreSQL, which the templates import; raises CompareError."""
    if not all(map(shutil.which, ("pg_config", "cc"))):
        raise CompareError(
            "PyGreSQL, which AWS's templates import, has no wheel for Linux and is compiled here:"
            " on Debian and Ubuntu `apt-get install gcc libpq-dev python3-dev` adds what it lacks"
        )
    toolchain.ensure(["compare"])
    (packages,) = ENVIRONMENT.glob("lib/python3.*/site-packages")
    return packages


def _compared(templates: Templates, packages: Path, rounds: int) -> tuple[list[Row], list[str]]:
    probes: tuple[tuple[str, Callable[[Stage], list[Row]]], ...] = (
        ("cost", lambda stage: cost.probe(stage, rounds)),
        ("TLS", tls.probe),
        ("ownership", ownership.probe),
        ("crashes", crashes.probe),
        ("faults", faults.probe),
    )
    rows: list[Row] = []
    _say("starting an account and a PostgreSQL, deploying both sides")
    with set_up(templates, packages) as stage:
        for name, probe in probes:
            _say(f"observing {name}")
            rows += probe(stage)
        return [*rows, *code.rows(templates)], list(_conditions(stage, templates))


def _say(progress: str) -> None:
    print(f"compare: {progress}", file=sys.stderr)


def _conditions(stage: Stage, templates: Templates) -> Iterator[str]:
    yield f"AWS's templates: {templates.state()}, PyGreSQL {_driver_version()}, unmodified."
    server = stage.target.execute("SHOW server_version")[0][0]
    yield (
        f"Both: PostgreSQL {server} with log_statement=all and pg_stat_statements, the account of"
        f" `make account`, Python {platform.python_version()}, functions with"
        f" {stage.limits['MemorySize']} MB and a time limit of {stage.limits['Timeout']} s, which"
        " are those of Rekey's template; theirs state none."
    )
    yield (
        "Calls are CloudTrail's records, logins the server's log, milliseconds the time from"
        " RotateSecret until the service has nothing left to do. A rotation that fails is tried"
        " once, unless a row says otherwise; AWS does not publish its own number."
    )
    if stage.tls:
        yield (
            'Secrets say `"ssl": true`, unless a row says otherwise. For the time of the run the'
            f" server's authority stood in {ca_file.PATH}, the file that the templates trust, and"
            " in a layer of Rekey's."
        )
    else:
        yield (
            f"TLS was not compared: {ca_file.PATH}, which the templates trust, exists or may not"
            ' be written here. Secrets say `"ssl": false`.'
        )
    today = datetime.datetime.now(datetime.UTC).date()
    yield f"Machine: {platform.machine()}, {os.cpu_count()} processors; {today}."


def _driver_version() -> str:
    command = [str(ENVIRONMENT / "bin" / "python"), "-c", DRIVER_VERSION]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
