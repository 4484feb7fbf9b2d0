"""The measurements as tables; plain text when piped."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.crowds import Crowd
from benchmarks.recoveries import Recovered
from benchmarks.rotations import Comparison, lines
from benchmarks.sizes import Size
from benchmarks.stage import Stage
from benchmarks.watched import Watched
from benchmarks.watching import GOALS, Watching

MEGABYTE = 1_000_000
BARE = "boto3 only"
WIDTH = 100
GOAL_WARM, GOAL_START = 1.2, 1.3
GOAL_RECOVERY = 5
TAKEN = ("working", "verified")


class Report:
    def __init__(self) -> None:
        # As wide on a terminal as in a file, which has no width of its own.
        self._console = Console(width=WIDTH, highlight=False)

    def conditions(self, stage: Stage, memory: int) -> None:
        say = self._console.print
        version = stage.postgres.execute("SHOW server_version")[0][0]
        tls = stage.postgres.execute(
            "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        )[0][0]
        say(f"Machine     {_processor()}, {os.cpu_count()} CPUs, {platform.system()}")
        say(f"Python      {platform.python_version()}, functions and account alike")
        say(f"PostgreSQL  {version}, {tls}, SCRAM-SHA-256, on the same machine")
        say(f"Account     the emulated one on this machine; {memory} MB asked for, not limited")
        say(
            "Times       medians; Rekey and the floor in turn; load of the machine before: ", end=""
        )
        say(f"{os.getloadavg()[0]:.2f}")

    def rotations(self, comparison: Comparison) -> None:
        warm, cold = len(comparison.warm), len(comparison.cold)
        table = _table(
            f"One rotation, {comparison.strategy}: {warm} warm, {cold} cold runs",
            ("step", "calls", "logins", "warm ms", "floor ms", "ratio", "cold ms", "floor ms"),
        )
        for line in lines(comparison):
            table.add_row(
                line.what,
                str(line.calls),
                str(line.logins),
                *(f"{milliseconds:.1f}" for milliseconds in line.warm),
                f"{line.warm[0] / line.warm[1]:.2f}",
                *(f"{milliseconds:.0f}" for milliseconds in line.cold),
            )
        self._console.print(table)
        self._console.print(
            "The floor makes the same calls, logins and statements and decides nothing. Warm: from"
            " within the\nhandler. Cold: the step's Duration as the account reports it, the start"
            f" of the function included.\nGoal for a warm rotation: at most {GOAL_WARM}."
        )

    def starts(self, taken: Mapping[str, Sequence[float]]) -> None:
        runs = len(taken[BARE])
        table = _table(
            f"Start of a function, before its first invocation: {runs} runs each",
            ("function", "median ms", "fastest ms", "ratio of medians", "of fastest"),
        )
        bare = taken[BARE]
        for name, values in taken.items():
            table.add_row(
                name,
                f"{median(values):.0f}",
                f"{min(values):.0f}",
                f"{median(values) / median(bare):.2f}",
                f"{min(values) / min(bare):.2f}",
            )
        self._console.print(table)
        self._console.print(
            "aws-lambda-rie of SAM CLI with awslambdaric: from starting the process to its first"
            f" /next.\nNo bytecode is written. Goal: at most {GOAL_START}."
        )

    def sizes(self, sizes: Sequence[Size]) -> None:
        table = _table(
            "What is deployed, MB", ("what", "zipped", "unzipped", "bytecode", "biggest parts")
        )
        for size in sizes:
            parts = ", ".join(f"{name} {octets / MEGABYTE:.1f}" for name, octets in size.parts)
            octets = (size.zipped, size.unzipped, size.bytecode)
            table.add_row(size.name, *(f"{number / MEGABYTE:.2f}" for number in octets), parts)
        self._console.print(table)

    def recoveries(self, found: Sequence[Recovered]) -> None:
        runs = len(found[0].others)
        table = _table(
            f"From RotationFailed to a working AWSCURRENT, seconds: the first and {runs} more runs",
            ("action", "works", "longest", "first", "verified", "longest", "fence"),
        )
        for each in found:
            works, verified = ([getattr(t, name) for t in each.others] for name in TAKEN)
            table.add_row(
                f"{each.way.action}, {each.way.strategy}",
                *(f"{seconds:.2f}" for seconds in (median(works), max(works))),
                f"{each.first.working:.2f}",
                *(f"{seconds:.2f}" for seconds in (median(verified), max(verified))),
                f"+ {each.way.fence}" if each.way.fence else "-",
            )
        self._console.print(table)
        self._console.print(
            "From the event on the bus until AWSCURRENT logs in and AWSPENDING is off, and until"
            " the workflow\nhas verified it. The fence is a wait for a step that may still be under"
            " way, before that; it is\nleft out. The first run starts functions; medians of the"
            " others.\n"
            f"Goal for clear and rollForward: under {GOAL_RECOVERY} s."
        )

    def crowds(self, crowds: Sequence[Crowd]) -> None:
        table = _table(
            "Secrets rotated at once, alternating-users, each for the first time",
            ("secrets", "all together s", "median of one s", "longest s", "failed"),
        )
        for crowd in crowds:
            seconds = (crowd.wall, crowd.middle, crowd.longest)
            table.add_row(
                str(crowd.secrets), *(f"{number:.1f}" for number in seconds), str(crowd.failures)
            )
        self._console.print(table)
        self._console.print(
            "From RotateSecret to the end that the account records. Functions start as they are"
            " needed; they,\nthe account and PostgreSQL share the CPUs."
        )

    def watching(self, decided: Watching, whole: Watched) -> None:
        table = _table("Watching who reads secrets", ("what", "is", "goal"))
        for size, rate in decided.rates.items():
            goal = f"{GOALS.rate:,}" if size == GOALS.full else "-"
            table.add_row(f"decisions, events a second, {size} at once", f"{rate:,.0f}", goal)
        rate = whole.events / whole.cpu
        table.add_row("the whole function, events a second", f"{rate:,.0f}", "-")
        table.add_row("write units an event, in a burst", f"{decided.burst:.2f}", str(GOALS.burst))
        table.add_row("write units an event, first day", f"{decided.first_day:.2f}", "-")
        ordinary = (f"{decided.ordinary:.2f}", str(GOALS.ordinary))
        table.add_row("write units an event, ordinary life", *ordinary)
        table.add_row("read units an event, ordinary life", f"{decided.read_units:.2f}", "-")
        table.add_row("DescribeSecret an event, one environment", f"{decided.calls:.3f}", "-")
        table.add_row("the same, a secret and day", f"{decided.secret_calls:.1f}", "-")
        table.add_row("dollars of write units, a million reads", f"{decided.dollars:.2f}", "-")
        reads, calls = decided.dollars_of_reads, decided.dollars_of_calls
        table.add_row("dollars of read units, a million reads", f"{reads:.2f}", "-")
        table.add_row("dollars of DescribeSecret, a million reads", f"{calls:.2f}", "-")
        self._console.print(table)
        self._console.print(
            "Seconds of CPU time of one core; the load of the machine was"
            f" {os.getloadavg()[0]:.2f}. The whole\nfunction, as deployed: {whole.events:,} events"
            " of which nothing was known, its calls to the table\nincluded, its start not;"
            f" {whole.wall:.1f} s went by. Dollars: computed, on demand in us-east-1;\na read makes"
            " two events."
        )


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=f"\n{title}", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number in (0, len(columns)) else "right")
    return table


def _processor() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return f"{names[0] if names else 'processor'} ({platform.machine()})"
