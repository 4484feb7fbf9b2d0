"""`python -m benchmarks [--quick] [--only recovery]`: what rotation and recovery cost."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.crowds import rotate_at_once
from benchmarks.deployed import time_rekey
from benchmarks.recoveries import recoveries
from benchmarks.report import Report
from benchmarks.rotations import STRATEGIES, compare
from benchmarks.sizes import sizes
from benchmarks.stage import BenchError, Stage, set_up
from benchmarks.starts import initialisations
from benchmarks.watched import watched
from benchmarks.watching import HISTORY, QUICK_HISTORY, watching
from local.deploy import DeployError
from local.postgres import PostgresError
from local.running_account import AccountError
from local.toolchain import ToolchainError


@dataclass(frozen=True)
class Runs:
    """How often each thing is measured. Even where users alternate."""

    warm: int = 40
    cold: int = 10
    starts: int = 31
    crowds: tuple[int, ...] = (1, 10, 50)
    history: int = HISTORY
    watched: int = 5000
    recoveries: int = 11


QUICK = Runs(
    warm=6,
    cold=2,
    starts=5,
    crowds=(1, 10),
    history=QUICK_HISTORY,
    watched=500,
    recoveries=3,
)


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few runs: rough figures in a minute")
    parser.add_argument("--only", choices=[*PARTS], help="only this part")
    asked = parser.parse_args()
    runs = QUICK if asked.quick else Runs()
    parts = [PARTS[asked.only]] if asked.only else [*PARTS.values()]
    report = Report()
    try:
        with set_up() as stage:
            _measure(stage, runs, report, parts)
        if not asked.only:
            report.watching(watching(runs.history), watched(runs.watched))
    except (BenchError, ToolchainError, DeployError, PostgresError, AccountError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def _measure(stage: Stage, runs: Runs, report: Report, parts: Sequence[Part]) -> None:
    model = stage.functions.get_function_configuration(FunctionName=stage.function_arn)
    report.conditions(stage, model["MemorySize"])
    for part in parts:
        part(stage, runs, report)


def _recovery(stage: Stage, runs: Runs, report: Report) -> None:
    report.recoveries(recoveries(stage, runs.recoveries))


def _rotation(stage: Stage, runs: Runs, report: Report) -> None:
    report.sizes(sizes(stage.built))
    report.starts(initialisations(stage.built, runs.starts))
    time_rekey(stage)
    for strategy in STRATEGIES:
        report.rotations(compare(stage, strategy, runs.warm, runs.cold))
    report.crowds([rotate_at_once(stage, number) for number in runs.crowds])


Part = Callable[[Stage, Runs, Report], None]
# The first changes nothing about the functions; the second times them.
PARTS: Mapping[str, Part] = {"recovery": _recovery, "rotation": _rotation}


if __name__ == "__main__":
    sys.exit(main())
