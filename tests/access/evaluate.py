"""`python -m tests.access.evaluate [seed ...]`: recall at a budget, and how quiet ordinary life is.

Ordinary life runs for 30 days after 76 days of history. On every day each attack happens once, in
a copy of what is known at that time, so that attacks neither teach the detector nor each other.
"""

from __future__ import annotations

import gc
import sys
import time
from collections import Counter
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field, replace
from random import Random

from rich.console import Console
from rich.table import Table

from rekey.access.judge import Incident
from rekey.access.secret import KnownSecrets
from rekey.access.signal import Level
from tests.access.attacks import ATTACKS, Attack, Thief
from tests.access.life import DAY, HOUR, START, Life
from tests.access.records import Record
from tests.access.world import World

HELD_OUT = (201, 202, 203)
"""Seeds of the published figures. They were first run when the detector was finished."""
HISTORY, MEASURED, BATCH, ATTACK_BATCH = 76, 30, 100, 7
LOUD = (Level.MEDIUM, Level.HIGH, Level.CRITICAL)


@dataclass
class Result:
    """What came of one seed."""

    seed: int
    days: int = 0
    events: int = 0
    writes: int = 0
    seconds: float = 0.0
    incidents: dict[str, Incident] = field(default_factory=dict)
    messages: int = 0
    tried: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)

    @property
    def loud_a_day(self) -> float:
        return sum(one.level in LOUD for one in self.incidents.values()) / self.days

    @property
    def recall(self) -> float:
        return self.found.total() / self.tried.total()


def evaluate(
    seed: int,
    *,
    agents: bool = True,
    history: int = HISTORY,
    days: int = MEASURED,
) -> Result:
    """Let a seed's life and attacks happen. Without ``agents``, no record has a userAgent."""
    life, result = Life(seed), Result(seed, days)
    world = World(names=KnownSecrets(frozenset(life.org.secrets)), ages=life.role_made)
    for day in range(-history, 0):
        world.learn(*_seen(life.records(day, history=True), agents=agents))
    world.table.writes = 0
    for day in range(days):
        _ordinary(world, life.records(day), result, agents=agents)
        for attack in ATTACKS:
            _attack(world, life, day, attack, result, agents=agents)
    result.writes = world.table.writes
    result.messages = len({(one.id, one.occurrence) for one in world.told})
    result.incidents = {one.id: one for one in world.incidents() if one.last >= START}
    return result


def _ordinary(world: World, records: list[Record], result: Result, *, agents: bool) -> None:
    seen = _seen(records, agents=agents)
    started = time.perf_counter()
    for start in range(0, len(seen), BATCH):
        world.see(*seen[start : start + BATCH])
    result.seconds += time.perf_counter() - started
    result.events += len(seen)


def _attack(
    world: World, life: Life, day: int, attack: Attack, result: Result, *, agents: bool
) -> None:
    random = Random(f"{life.seed} {day} {attack.name}")  # noqa: S311 - a generator of test data
    stolen = copy(life)
    stolen.random = random
    thief = Thief(stolen, random, START + day * DAY + random.uniform(7, 20) * HOUR)
    table = replace(world.table, items=dict(world.table.items))
    scene = replace(world, table=table, told=[])
    records = _seen(attack.make(thief), agents=agents)
    for start in range(0, len(records), ATTACK_BATCH):
        scene.see(*records[start : start + ATTACK_BATCH])
    result.tried[attack.name] += 1
    result.found[attack.name] += any(_caught(one, attack) for one in scene.told)


def _caught(incident: Incident, attack: Attack) -> bool:
    reasons = {reason.kind for reason in incident.reasons}
    return incident.level in LOUD and bool(reasons & attack.expected)


def _seen(records: Iterable[Record], *, agents: bool) -> list[Record]:
    return [record if agents else {**record, "userAgent": ""} for record in records]


def main(seeds: list[int]) -> int:
    # The table in memory holds millions of objects, as no function does.
    gc.disable()
    console = Console(width=100, highlight=False)
    for agents in (True, False):
        results = [evaluate(seed, agents=agents) for seed in seeds]
        console.print(_summary(results, agents=agents))
        console.print(_recalls(results))
        console.print(_noise(results))
    return 0


def _summary(results: list[Result], *, agents: bool) -> Table:
    title = "with the agent string" if agents else "without the agent string"
    names = (
        "seed",
        "events",
        "above low a day",
        "low a day",
        "messages a day",
        "recall",
        "writes/event",
        "events/s",
    )
    table = Table(*names, title=f"Ordinary life, 500 secrets, {title}")
    for one in results:
        low = sum(found.level not in LOUD for found in one.incidents.values()) / one.days
        table.add_row(
            str(one.seed),
            str(one.events),
            f"{one.loud_a_day:.2f}",
            f"{low:.2f}",
            f"{one.messages / one.days:.2f}",
            f"{one.recall:.3f}",
            f"{one.writes / one.events:.3f}",
            f"{one.events / one.seconds:,.0f}",
        )
    return table


def _recalls(results: list[Result]) -> Table:
    table = Table(
        "attack", "times", "found", "recall", title="Found above low, with a right reason"
    )
    for name in [attack.name for attack in ATTACKS]:
        tried = sum(one.tried[name] for one in results)
        found = sum(one.found[name] for one in results)
        table.add_row(name, str(tried), str(found), f"{found / tried:.3f}")
    return table


def _noise(results: list[Result]) -> Table:
    table = Table("reasons together", "times", title="Ordinary life above low")
    loud = (i for one in results for i in one.incidents.values() if i.level in LOUD)
    reasons = Counter(", ".join(sorted(r.kind for r in one.reasons)) for one in loud)
    for names, number in reasons.most_common(12):
        table.add_row(names, str(number))
    return table


if __name__ == "__main__":
    sys.exit(main([int(seed) for seed in sys.argv[1:]] or list(HELD_OUT)))
