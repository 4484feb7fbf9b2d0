"""A day of ordinary life with every kind of attack in it, for a pipeline to carry."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random

from rekey.access.secret import KnownSecrets
from rekey.known import Item, Key
from tests.access.attacks import ATTACKS, Thief
from tests.access.life import DAY, HOUR, START, Life
from tests.access.organisation import Organisation, found
from tests.access.records import ACCOUNT, REGION, Record, stamp
from tests.access.world import World

HISTORY = 5
WEEK = 7 * DAY
KEPT = ("secret", "profile", "reader")


@dataclass(frozen=True)
class Traffic:
    """``known`` is what the table held before, ``records`` come in order and each once."""

    known: dict[Key, Item]
    records: list[Record]
    names: KnownSecrets


def secret_names(seed: int) -> list[str]:
    """What the secrets of a seed's organisation are called."""
    return [_name(arn) for arn in found(seed).secrets]


def traffic(seed: int, number: int, arns: Mapping[str, str], account: str, region: str) -> Traffic:
    """Make a day of so many events in an account where secrets of these names have these ARNs.

    Days lie in the week that comes: nothing of it has expired, and working days are working days.
    """
    life, names = Life(seed), KnownSecrets(frozenset(arns.values()))
    _move(life.org, arns)
    places = ((ACCOUNT, account), (REGION, region))
    world = World(names=names)
    for day in range(-HISTORY, 0):
        world.learn(*_moved(life.records(day, history=True), places))
    known = {key: _old(item) for key, item in world.table.items.items() if _lasts(key)}
    harm = list(_within_the_day(_attacks(life)))
    peace = list(_within_the_day(life.records(0)))
    chosen = [*harm, *life.random.sample(peace, min(number - len(harm), len(peace)))]
    once = {record["eventID"]: record for record in chosen}
    return Traffic(known, list(_moved(sorted(once.values(), key=_time), places)), names)


def _attacks(life: Life) -> Iterator[Record]:
    for attack in ATTACKS:
        stolen = copy(life)
        stolen.random = Random(f"{life.seed} {attack.name}")  # noqa: S311 - test data
        at = START + stolen.random.uniform(7, 20) * HOUR
        yield from attack.make(Thief(stolen, stolen.random, at))


def _within_the_day(records: Iterable[Record]) -> Iterator[Record]:
    return (record for record in records if START <= _epoch(record) < START + DAY)


def _move(org: Organisation, arns: Mapping[str, str]) -> None:
    """Let everybody read the secrets that there are."""

    def here(secrets: list[str]) -> list[str]:
        return [arns.get(_name(secret), secret) for secret in secrets]

    org.secrets = here(org.secrets)
    org.owned = {team: here(owned) for team, owned in org.owned.items()}
    for actor in org.actors:
        actor.secrets = here(actor.secrets)


def _moved(
    records: Iterable[Record], places: tuple[tuple[str, str], tuple[str, str]]
) -> Iterator[Record]:
    weeks = -(-(time.time() - START) // WEEK) * WEEK
    for record in records:
        text = json.dumps({**record, "eventTime": stamp(_epoch(record) + weeks)})
        for old, new in places:
            text = text.replace(old, new)
        yield json.loads(text)


def _old(item: Item) -> Item:
    """As if it had been known for a month: all that is settled is settled."""
    return replace(item, minima={name: at - 30 * DAY for name, at in item.minima.items()})


def _lasts(key: Key) -> bool:
    return key.sk.partition("#")[0] in KEPT


def _epoch(record: Record) -> float:
    return datetime.fromisoformat(record["eventTime"]).timestamp()


def _time(record: Record) -> str:
    return str(record["eventTime"])


def _name(arn: str) -> str:
    return arn.partition(":secret:")[2][:-7]
