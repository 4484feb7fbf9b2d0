"""`make prove`: everything that can break a rotation here, and what came of it.

An argument is a part of a point's name: only the points that contain it are run.
"""

import multiprocessing
import os
import queue
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from rekey.model import Strategy
from tests.faults.parts import (
    Broken,
    Part,
    Row,
    deployed_functions,
    in_process,
    many_secrets,
    may_be_of,
)
from tests.faults.points import Course, settings
from tests.faults.targets import wanted_engines

COLUMNS = ("places", "faults", "lock-outs", "not converged", "leaks", "other")

NEVER_DEPLOYED = ("effect ", "connection ", "histories", *(set(Course) - {Course.RETIREMENT}))
"""Parts of names that no place of a deployed function has: it need not be deployed for them."""

AT_ONCE = 2 * (os.cpu_count() or 1)
"""Jobs wait for networks that fall silent about half of their time."""

Job = Callable[[], Iterable[Part]]


@dataclass(frozen=True)
class Began:
    """A job tells that it has found the places of a row, and how much is to be done there."""

    row: Row
    places: int
    faults: int


@dataclass(frozen=True)
class Broke:
    """A job tells what came of one fault."""

    row: Row
    name: str
    wrong: list[str]
    told: list[str]


def work(job: Job, wanted: str, tell: Any) -> str | None:
    """Do a job in a process of its own; what went wrong with the job itself."""
    empty: list[str] = []
    try:
        for part in job():
            chosen = part.chosen(wanted)
            if not chosen and not wanted:
                empty.append(f"{part.names}: no place was found")
            tell.put(Began(part.row, len({_place(point) for point in chosen}), len(chosen)))
            for point in chosen:
                tell.put(Broke(part.row, str(point), *_break(part, point)))
    except Exception:  # noqa: BLE001 - told to whoever waits for it
        return "\n".join([*empty, traceback.format_exc()])
    return "\n".join(empty) or None


def _break(part: Part, point: Any) -> Broken:
    """A place at which the harness itself fails is none at which everything held."""
    try:
        return part.break_at(point)
    except Exception as error:  # noqa: BLE001 - the other places are tried all the same
        return [f"the harness: {error}"], [traceback.format_exc()]


def _place(point: Any) -> object:
    """Where it is, whatever happens there."""
    return str(point).rpartition(": ")[0] or str(point)


@dataclass
class Outcome:
    """What came of all of it, by row."""

    progress: Progress
    counts: dict[Row, Counter[str]] = field(default_factory=dict)
    tasks: dict[Row, TaskID] = field(default_factory=dict)
    failed: bool = False

    def hear(self, message: Began | Broke) -> None:
        """Count what a job tells."""
        match message:
            case Began(row, places, faults) if faults:
                self.counts[row] = Counter(places=places)
                what = f"{row.engine}, {row.strategy}: {row.what}"
                self.tasks[row] = self.progress.add_task(what, total=faults)
            case Broke(row, name, wrong, told):
                self.progress.advance(self.tasks[row])
                self.counts[row].update(["faults", *{_sort(what) for what in wrong}])
                if wrong:
                    self.fail(f"{name}\n  {'; '.join(wrong)}\n  told: {'; '.join(told)}")
                if self.progress.tasks[self.tasks[row]].finished:
                    self._say(row)

    def fail(self, failure: str) -> None:
        """Say what did not hold, as soon as it is known: whoever stops the rest has this."""
        self.failed = True
        self.progress.console.print(failure, style="red", markup=False)

    def _say(self, row: Row) -> None:
        """As soon as it is known, too."""
        counts = ", ".join(f"{name} {self.counts[row][name]}" for name in COLUMNS)
        self.progress.console.print(f"{row.engine}, {row.strategy}, {row.what}: {counts}")

    def table(self) -> Table:
        """One row for each kind of trouble, by engine and strategy."""
        table = Table("engine", "strategy", "what breaks", *COLUMNS)
        engines = list(dict.fromkeys(row.engine for row in self.counts))
        for row in sorted(self.counts, key=lambda row: (engines.index(row.engine), row.strategy)):
            counts = (str(self.counts[row][name]) for name in COLUMNS)
            table.add_row(row.engine, row.strategy, row.what, *counts)
        return table


def _sort(what: str) -> str:
    if "locked out" in what:
        return "lock-outs"
    if "leaked" in what:
        return "leaks"
    return "not converged" if "converged" in what or "settled" in what else "other"


def jobs(wanted: str) -> Iterator[Job]:
    """Side by side; those that take long come first."""
    engines = wanted_engines()
    named = [name for name in engines if name in wanted] or engines
    if not any(word in wanted for word in NEVER_DEPLOYED):
        yield from (partial(deployed_functions, name) for name in named)
    found = [setting for name in named for setting in settings(name)]
    for setting in sorted(found, key=lambda one: one.strategy is not Strategy.ALTERNATING_USERS):
        if any(may_be_of(names, wanted) for names in (f"{setting}, effect ", f"{setting}, ")):
            yield partial(in_process, setting)
    yield from (partial(many_secrets, n) for n in named if may_be_of(f"{n}, histories", wanted))


def prove(console: Console, wanted: str) -> int:
    """Run all; 0 if everything held."""
    context = multiprocessing.get_context("fork")
    with context.Manager() as shared, ProcessPoolExecutor(AT_ONCE, context) as pool:
        told: queue.Queue[Began | Broke] = shared.Queue()
        running = [pool.submit(work, job, wanted, told) for job in jobs(wanted)]
        with Progress(console=console) as progress:
            outcome = Outcome(progress)
            for message in _messages(told, running):
                outcome.hear(message)
        for broken in filter(None, (job.result() for job in running)):
            outcome.fail(broken)
    console.print(outcome.table())
    total: Counter[str] = sum(outcome.counts.values(), Counter())
    if not total:
        console.print(
            f"No place has {wanted!r} in its name. A failure prints one as it is to be asked"
        )
        console.print(
            'for, such as POINT="mysql, dual-password, first rotation, effect 12: killed".'
        )
    console.print(", ".join(f"{name} {total[name]}" for name in COLUMNS))
    return 1 if outcome.failed or not total else 0


def _messages(
    told: "queue.Queue[Began | Broke]", running: list[Future[str | None]]
) -> Iterator[Began | Broke]:
    """Whatever is told, until all jobs are done."""
    while True:
        over = all(job.done() for job in running)
        try:
            yield told.get(timeout=0.5)
        except queue.Empty:
            if over:
                return


if __name__ == "__main__":
    # Each job ends the servers that it has started, however the run is told to stop.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    wide = None if sys.stdout.isatty() else 120
    sys.exit(prove(Console(width=wide), " ".join(sys.argv[1:])))
