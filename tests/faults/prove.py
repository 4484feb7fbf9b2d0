"""`make prove`: everything that can break a rotation here, and what came of it.

An argument is a part of a point's name: only the points that contain it are run.
"""

import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hypothesis.stateful import run_state_machine_as_test
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from local.certificates import Authority
from local.deploy import deploy, publish_ca_layer
from local.running_account import RunningAccount
from tests.conftest import Deployed
from tests.faults.deployed import Way, kill_at, kill_points, reached_through_proxies
from tests.faults.machine import Rotations, histories
from tests.faults.network import break_network, network_points
from tests.faults.points import break_at, points, settings
from tests.faults.target import Target
from tests.faults.targets import ENGINES, wanted_engines

COLUMNS = ("places", "faults", "lock-outs", "not converged", "leaks", "other")
HISTORIES = 50

Broken = tuple[list[str], list[str]]
"""What did not hold, and what the operator was told."""


@dataclass
class Part:
    """One row of the table: places of one kind, and what breaks there."""

    engine: str
    strategy: str
    what: str
    points: list[Any]
    break_at: Callable[[Any], Broken]
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def run(self, wanted: str, progress: Progress) -> None:
        """Break it at every place whose name contains ``wanted``."""
        chosen = [point for point in self.points if wanted in str(point)]
        self.counts["places"] = len({_place(point) for point in chosen})
        for point in progress.track(
            chosen, description=f"{self.engine}, {self.strategy}: {self.what}"
        ):
            self.add(str(point), *self.break_at(point))

    def add(self, name: str, wrong: list[str], told: list[str]) -> None:
        """Count what came of one fault."""
        self.counts["faults"] += 1
        for kind in {_sort(what) for what in wrong}:
            self.counts[kind] += 1
        if wrong:
            self.failures.append(f"{name}\n  {'; '.join(wrong)}\n  told: {'; '.join(told)}")


def _place(point: Any) -> object:
    """Where it is, whatever happens there."""
    return str(point).rpartition(": ")[0]


def _sort(what: str) -> str:
    if "locked out" in what:
        return "lock-outs"
    if "leaked" in what:
        return "leaks"
    return "not converged" if "converged" in what or "settled" in what else "other"


def in_process(target: Target) -> Iterator[Part]:
    """Every effect and every turn of a rotation that runs in this process."""
    for setting in settings(target.name):
        row = target.title, f"{setting.strategy}, {setting.course}"
        yield Part(*row, "effects", list(points(target, setting)), partial(break_at, target))
        turns = list(network_points(target, setting))
        yield Part(*row, "network", turns, partial(break_network, target))


@contextmanager
def an_account(authority: Authority) -> Iterator[Deployed]:
    """The stack, whose functions trust the servers that are broken."""
    with RunningAccount({"REKEY_ROTATION_DELAYS": "0.2"}) as account:
        layer = publish_ca_layer(account.port, authority.pem)
        outputs = deploy(account.port, {"CaBundleLayerArn": layer})
        yield Deployed(account, outputs, authority)


def deployed_function(deployed: Deployed, target: Target) -> Iterator[Part]:
    """Every call and every turn of a function that is deployed, killed there."""
    with reached_through_proxies(deployed, target) as function:
        for strategy in ENGINES[target.name].strategies:
            for way in Way:
                yield Part(
                    target.title,
                    strategy,
                    f"function killed, {way}",
                    kill_points(function, strategy, way),
                    lambda point: (kill_at(function, point), []),
                )


def many_secrets(target: Target) -> Part:
    """Anything in any order, on several secrets."""

    def run(_: object) -> Broken:
        Rotations.target = target
        try:
            run_state_machine_as_test(Rotations, settings=histories(HISTORIES))
        except AssertionError as failure:
            return [str(failure)], ["".join(traceback.format_exception(failure))]
        return [], []

    what = f"{HISTORIES} histories of several secrets"
    return Part(target.title, "all", what, ["all of them"], run)


def all_parts(targets: list[Target], authority: Authority, *, alone: bool) -> Iterator[Part]:
    """In this order; ``alone`` leaves out what has no places."""
    for target in targets:
        yield from in_process(target)
    with an_account(authority) as deployed:
        for target in targets:
            yield from deployed_function(deployed, target)
    if not alone:
        yield from map(many_secrets, targets)


def prove(console: Console, wanted: str) -> int:
    """Run all; 0 if everything held."""
    parts: list[Part] = []
    authority = Authority.create()
    with ExitStack() as stack:
        engines = [ENGINES[name] for name in wanted_engines()]
        running = [stack.enter_context(one.start(authority=authority)) for one in engines]
        targets = [one.target(server) for one, server in zip(engines, running, strict=True)]
        progress = stack.enter_context(Progress(console=console))
        for part in all_parts(targets, authority, alone=bool(wanted)):
            parts.append(part)
            part.run(wanted, progress)
    for part in parts:
        for failure in part.failures:
            console.print(failure, style="red", markup=False)
    console.print(_table(parts))
    total: Counter[str] = sum((part.counts for part in parts), Counter())
    console.print(", ".join(f"{name} {total[name]}" for name in COLUMNS))
    return 1 if any(part.failures for part in parts) or not total else 0


def _table(parts: list[Part]) -> Table:
    table = Table("engine", "strategy", "what breaks", *COLUMNS)
    for part in parts:
        counts = (str(part.counts[name]) for name in COLUMNS)
        table.add_row(part.engine, part.strategy, part.what, *counts)
    return table


if __name__ == "__main__":
    wide = None if sys.stdout.isatty() else 120
    sys.exit(prove(Console(width=wide), " ".join(sys.argv[1:])))
