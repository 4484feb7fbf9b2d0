"""`make prove`: everything that can break a rotation here, and what came of it.

An argument is a part of a point's name: only the points that contain it are run.
"""

import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hypothesis.stateful import run_state_machine_as_test
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from local.deploy import deploy, publish_ca_layer
from local.postgres import Postgres
from local.running_account import RunningAccount
from tests.conftest import Deployed
from tests.faults.deployed import Way, kill_at, kill_points, reached_through_proxies
from tests.faults.machine import Rotations, histories
from tests.faults.network import break_network, network_points
from tests.faults.points import SETTINGS, break_at, points

COLUMNS = ("places", "faults", "lock-outs", "not converged", "leaks", "other")
HISTORIES = 50

Broken = tuple[list[str], list[str]]
"""What did not hold, and what the operator was told."""


@dataclass
class Part:
    """One row of the table: places of one kind, and what breaks there."""

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
        for point in progress.track(chosen, description=f"{self.strategy}: {self.what}"):
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


def in_process(postgres: Postgres) -> Iterator[Part]:
    """Every effect and every turn of a rotation that runs in this process."""
    for setting in SETTINGS:
        strategy = f"{setting.strategy}, {setting.rotation} rotation"
        effects = list(points(postgres, setting))
        yield Part(strategy, "effects", effects, partial(break_at, postgres))
        turns = list(network_points(postgres, setting))
        yield Part(strategy, "network", turns, partial(break_network, postgres))


@contextmanager
def deployed_function(postgres: Postgres) -> Iterator[Iterator[Part]]:
    """Every call and every turn of a function that is deployed, killed there."""
    with RunningAccount({"REKEY_ROTATION_DELAYS": "0.2"}) as account:
        layer = publish_ca_layer(account.port, postgres.authority.pem)
        outputs = deploy(account.port, {"CaBundleLayerArn": layer})
        deployed = Deployed(account, outputs, postgres.authority)
        with reached_through_proxies(deployed, postgres) as function:
            yield (
                Part(
                    "alternating-users" if alternating else "single-user",
                    f"function killed, {way}",
                    kill_points(function, alternating=alternating, way=way),
                    lambda point: (kill_at(function, point), []),
                )
                for alternating in (False, True)
                for way in Way
            )


def many_secrets(postgres: Postgres) -> Part:
    """Anything in any order, on several secrets."""

    def run(_: object) -> Broken:
        Rotations.postgres = postgres
        try:
            run_state_machine_as_test(Rotations, settings=histories(HISTORIES))
        except AssertionError as failure:
            return [str(failure)], ["".join(traceback.format_exception(failure))]
        return [], []

    return Part("both", f"{HISTORIES} histories of several secrets", ["all of them"], run)


def prove(console: Console, wanted: str) -> int:
    """Run all; 0 if everything held."""
    parts: list[Part] = []
    with Postgres() as postgres, Progress(console=console) as progress:
        for part in in_process(postgres):
            parts.append(part)
            part.run(wanted, progress)
        with deployed_function(postgres) as killed:
            for part in killed:
                parts.append(part)
                part.run(wanted, progress)
        if not wanted:
            parts.append(many_secrets(postgres))
            parts[-1].run(wanted, progress)
        version = postgres.version
    for part in parts:
        for failure in part.failures:
            console.print(failure, style="red", markup=False)
    console.print(_table(parts, version))
    total: Counter[str] = sum((part.counts for part in parts), Counter())
    console.print(", ".join(f"{name} {total[name]}" for name in COLUMNS))
    return 1 if any(part.failures for part in parts) or not total else 0


def _table(parts: list[Part], version: int) -> Table:
    table = Table("engine", "strategy", "what breaks", *COLUMNS)
    for part in parts:
        counts = (str(part.counts[name]) for name in COLUMNS)
        table.add_row(f"PostgreSQL {version}", part.strategy, part.what, *counts)
    return table


if __name__ == "__main__":
    wide = None if sys.stdout.isatty() else 120
    sys.exit(prove(Console(width=wide), " ".join(sys.argv[1:])))
