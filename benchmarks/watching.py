"""`python -m benchmarks.watching`: what watching readers costs in time, units, calls and dollars.

The decisions alone: records as parsed JSON come in, a table in memory stands for DynamoDB. CPU time
of one process, so other load of the machine counts little. What is asked of Secrets Manager goes
through the function's own memory of answers, by the time of the events.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from statistics import median
from typing import Any

from rekey.access.secret import KnownSecrets
from rekey.aws.access_account import AccessAccount
from rekey.aws.access_state import written_octets
from rekey.known import Item, Key, without_ending
from tests.access.attacks import Thief
from tests.access.life import START, Life
from tests.access.organisation import Reads
from tests.access.records import Record
from tests.access.world import Table, World

SEED, HISTORY, ROUNDS = 11, 30, 5
QUICK_HISTORY = 15
SIZES = (10, 100, 1000)
TEN_SECONDS = len("2026-01-01T00:00:0")
DOLLARS_A_UNIT = 0.625e-6
DOLLARS_A_READ_UNIT = 0.125e-6
"""On demand in us-east-1: AWS's price list of DynamoDB, standard tables."""
DOLLARS_A_CALL = 0.05 / 10_000
"""Of Secrets Manager's API: AWS's price list."""
UNIT, READ_UNIT = 1024, 4096
"""Octets that one write unit takes, and one read unit."""


@dataclass(frozen=True)
class Goals:
    """Events a second in full batches, and write units an event.

    Lambda waits ten seconds for a batch: of many events it makes full ones.
    """

    rate: int = 20_000
    full: int = 1000
    burst: float = 1.5
    ordinary: float = 0.5


GOALS = Goals()
EVENTS_A_READ = 2
"""The read and its companion."""


@dataclass
class Metered(Table):
    """Counts what DynamoDB would charge for."""

    units: int = 0
    read_units: float = 0.0

    def load(self, keys: Iterable[Key], *, latest: bool = False) -> Mapping[Key, Item]:
        """What is not there costs as much as what is small; half if it may be a moment old."""
        asked = set(keys)
        found = super().load(asked, latest=latest)
        octets = (written_octets(item) for item in found.values())
        whole = len(asked) - len(found) + sum(-(-number // READ_UNIT) for number in octets)
        self.read_units += whole if latest else whole / 2
        return found

    def save(self, item: Item) -> bool:
        saved = super().save(item)
        self.units += saved * -(-written_octets(item) // UNIT)
        return saved


class Asking(KnownSecrets):
    """Names that one environment of the function looks up; ``calls`` are those that cost."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__(frozenset(secrets))
        self.calls, self.now = 0, 0.0
        client: Any = self
        self._account = AccessAccount(
            client, client, client, client, "", ours=frozenset(), clock=lambda: self.now
        )

    def full_arn(self, partial: str) -> str | None:
        return self._account.full_arn(partial)

    def describe_secret(self, SecretId: str) -> dict[str, Any]:  # noqa: N803 - as AWS has it
        self.calls += 1
        known = super().full_arn(SecretId) or super().full_arn(without_ending(SecretId))
        return {"ARN": known or SecretId}


@dataclass(frozen=True)
class Watching:
    """``rates``: events a second of CPU time, by how many come at once. Units are by event.

    ``read_units`` and ``calls`` of Secrets Manager are by event in ordinary life, ``secret_calls``
    by secret and day.

    On the first day the companions of reads are new, which a history from CloudTrail lacks.
    """

    rates: dict[int, float] = field(default_factory=dict)
    first_day: float = 0.0
    ordinary: float = 0.0
    burst: float = 0.0
    read_units: float = 0.0
    calls: float = 0.0
    secret_calls: float = 0.0

    @property
    def dollars(self) -> float:
        """Of the writes of a million ordinary reads."""
        return self.ordinary * EVENTS_A_READ * 1e6 * DOLLARS_A_UNIT

    @property
    def dollars_of_reads(self) -> float:
        """Of what a million ordinary reads look up in the table."""
        return self.read_units * EVENTS_A_READ * 1e6 * DOLLARS_A_READ_UNIT

    @property
    def dollars_of_calls(self) -> float:
        """Of what one environment asks about secrets in a million ordinary reads."""
        return self.calls * EVENTS_A_READ * 1e6 * DOLLARS_A_CALL


def watching(history: int = HISTORY, rounds: int = ROUNDS) -> Watching:
    """Measure the decisions on the second day of ordinary life after a history of so many days."""
    table, life = Metered(), Life(SEED)
    names = KnownSecrets(frozenset(life.org.secrets))
    world = World(table=table, names=names, ages=life.role_made)
    for day in range(-history, 0):
        world.learn(*life.records(day, history=True))
    first_day = _units(world, table, life.records(0))
    events = life.records(1)
    rates = {size: _rate(world, events, size, rounds) for size in SIZES}
    asking, before = Asking(life.org.secrets), table.read_units
    ordinary = _units(replace(world, names=asking), table, events)
    read_units = (table.read_units - before) / len(events)
    calls = asking.calls
    burst = _units(world, table, _burst(life))
    by_secret = calls / len(life.org.secrets)
    return Watching(rates, first_day, ordinary, burst, read_units, calls / len(events), by_secret)


def _rate(world: World, events: list[Record], size: int, rounds: int) -> float:
    """Each round begins with what was known the evening before."""
    return median(len(events) / _seconds(_copy(world), events, size) for _ in range(rounds))


def _copy(world: World) -> World:
    copied = replace(world, table=Table(dict(world.table.items)))
    # The table in memory holds millions of objects to look through, as no function does.
    gc.collect()
    gc.freeze()
    return copied


def _units(world: World, table: Metered, events: list[Record]) -> float:
    """In batches as Lambda would make them: of what has come within ten seconds."""
    before = table.units
    for tens, batch in groupby(events, lambda event: str(event["eventTime"])[:TEN_SECONDS]):
        if isinstance(world.names, Asking):
            world.names.now = datetime.fromisoformat(f"{tens}0+00:00").timestamp()
        world.see(*batch)
    return (table.units - before) / len(events)


def _burst(life: Life) -> list[Record]:
    """One principal reads every secret, each with its companion."""
    thief = Thief(life, life.random, START + 2 * 86_400)
    actor = thief.elsewhere(next(a for a in life.org.actors if a.reads is Reads.AT_START))
    return list(thief.reads(actor, life.org.secrets, 0.5))


def _seconds(world: World, events: list[Record], size: int) -> float:
    return _measured(
        lambda: [world.see(*events[n : n + size]) for n in range(0, len(events), size)]
    )


def _measured(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> int:
    """The figures alone, without an account."""
    found = watching()
    for size, rate in found.rates.items():
        print(f"{rate:>9,.0f} events a second and core, batches of {size}")
    print(f"{found.first_day:9.3f} write units an event on the first day")
    print(f"{found.ordinary:9.3f} write units an event in ordinary life")
    print(f"{found.burst:9.3f} write units an event in a burst")
    print(f"{found.read_units:9.3f} read units an event in ordinary life")
    print(f"{found.calls:9.3f} DescribeSecret an event, by one environment")
    print(f"{found.secret_calls:9.1f} DescribeSecret a secret and day, by one environment")
    print(f"${found.dollars:8.2f} of write units for a million reads")
    print(f"${found.dollars_of_reads:8.2f} of read units for a million reads")
    print(f"${found.dollars_of_calls:8.2f} of DescribeSecret for a million reads")
    return 0


if __name__ == "__main__":
    sys.exit(main())
