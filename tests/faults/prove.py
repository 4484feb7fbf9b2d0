"""`make prove`: every point at which a rotation can break, and what came of it.

An argument is a part of a point's name: only the points that contain it are run.
"""

import sys
from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from local.postgres import Postgres
from tests.faults.points import SETTINGS, Setting, break_at, points

COLUMNS = ("points", "lock-outs", "not converged", "leaks", "other")


@dataclass
class Tally:
    """What came of the points of one setting."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, name: str, wrong: list[str], told: list[str]) -> None:
        self.counts["points"] += 1
        for kind in {_sort(what) for what in wrong}:
            self.counts[kind] += 1
        if wrong:
            self.failures.append(f"{name}\n  {'; '.join(wrong)}\n  told: {'; '.join(told)}")


def _sort(what: str) -> str:
    if "locked out" in what:
        return "lock-outs"
    if "leaked" in what:
        return "leaks"
    return "not converged" if "converged" in what or "settled" in what else "other"


def prove(console: Console, wanted: str) -> int:
    """Run the points; 0 if everything held."""
    tallies: dict[Setting, Tally] = {}
    with Postgres() as postgres, Progress(console=console) as progress:
        for setting in SETTINGS:
            chosen = [point for point in points(postgres, setting) if wanted in str(point)]
            tallies[setting] = Tally()
            for point in progress.track(chosen, description=str(setting)):
                tallies[setting].add(str(point), *break_at(postgres, point))
        version = postgres.version
    for tally in tallies.values():
        for failure in tally.failures:
            console.print(failure, style="red", markup=False)
    console.print(_table(tallies, version))
    total: Counter[str] = sum((tally.counts for tally in tallies.values()), Counter())
    console.print(", ".join(f"{name} {total[name]}" for name in COLUMNS))
    return 1 if any(tally.failures for tally in tallies.values()) or not total else 0


def _table(tallies: dict[Setting, Tally], version: int) -> Table:
    table = Table("engine", "strategy", "rotation", *COLUMNS)
    for setting, tally in tallies.items():
        counts = (str(tally.counts[name]) for name in COLUMNS)
        table.add_row(f"PostgreSQL {version}", setting.strategy, setting.rotation, *counts)
    return table


if __name__ == "__main__":
    sys.exit(prove(Console(), " ".join(sys.argv[1:])))
