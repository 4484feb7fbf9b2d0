"""`python -m benchmarks.watching`: what watching readers costs in time, writes and dollars.

The decisions alone: records as parsed JSON come in, a table in memory stands for DynamoDB. CPU time
of one process, so other load of the machine does not count.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median

from rekey.access.secret import KnownSecrets
from tests.access.attacks import Thief
from tests.access.life import START, Life
from tests.access.organisation import Reads
from tests.access.records import Record
from tests.access.world import World

SEED, HISTORY, ROUNDS = 11, 30, 5
SIZES = (10, 100, 1000)
DOLLARS = {"write": 0.625e-6, "read": 0.125e-6}
"""On demand in us-east-1, of a unit: AWS's price list of DynamoDB, standard tables."""
GOAL = 20_000


def main() -> int:
    life = Life(SEED)
    world = World(names=KnownSecrets(frozenset(life.org.secrets)), ages=life.role_made)
    for day in range(-HISTORY, 0):
        world.learn(*life.records(day, history=True))
    _ordinary(world, life)
    _burst(world, life)
    return 0


def _ordinary(world: World, life: Life) -> None:
    events = life.records(0)
    world.see(*events)
    for size in SIZES:
        rate = median(len(events) / _seconds(world, events, size) for _ in range(ROUNDS))
        print(f"{rate:>9,.0f} events a second and core, batches of {size}; goal {GOAL:,}")
    events, before = life.records(1), world.table.writes
    _seconds(world, events, 100)
    writes = (world.table.writes - before) / len(events)
    dollars = writes * DOLLARS["write"] * 2e6
    print(f"{writes:9.3f} writes an event in ordinary life; ${dollars:.2f} for a million reads")


def _burst(world: World, life: Life) -> None:
    """One principal reads every secret, each with its companion."""
    thief = Thief(life, life.random, START + 2 * 86_400)
    actor = thief.elsewhere(next(a for a in life.org.actors if a.reads is Reads.AT_START))
    events = list(thief.reads(actor, life.org.secrets, 0.5))
    before = world.table.writes
    _seconds(world, events, 100)
    print(f"{(world.table.writes - before) / len(events):9.3f} writes an event in a burst")


def _seconds(world: World, events: list[Record], size: int) -> float:
    return _measured(
        lambda: [world.see(*events[n : n + size]) for n in range(0, len(events), size)]
    )


def _measured(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    sys.exit(main())
