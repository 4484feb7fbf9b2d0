"""Thousands of events through the deployed pipeline, in trouble: nothing lost, nothing twice.

REKEY_EVENTS says how many; 10,000 without it. More go in rounds, each with another organisation.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from random import Random
from typing import Any
from unittest.mock import ANY

import pytest

from rekey.access.judge import Incident, incident
from rekey.access.signal import SignalKind
from rekey.access.thresholds import Thresholds
from rekey.incident import Severity
from rekey.known import DAY, LONGER, MAXIMA_CAPS, SET_CAPS, TIMES, Item, Key
from tests.access.records import Record, record
from tests.access.traffic import Traffic, secret_names, traffic
from tests.access.world import Table, World
from tests.conftest import Deployed, deaf
from tests.end_to_end.pipeline import Pipeline, secrets_of
from tests.inbox import Inbox

ROUND = 10_000
EVENTS = int(os.environ.get("REKEY_EVENTS", str(ROUND)))
SEEDS = [301 + number for number in range(max(1, EVENTS // ROUND))]
TWICE = 0.05
THROTTLED, KILLED = range(6, 12), (7, 9, 11)
"""In which hours. A function is killed while the table lets it wait."""
NETWORKS = ("net", "endpoint", "private")
BATCH = 100
"""A batch is killed as a whole, and one machine is to get through some at once in their time."""
BY_ORDER = {SignalKind.NEW_NETWORK, SignalKind.ODD_HOUR}
ACCOUNT, REGION = "000000000000", "us-east-1"
POISON = (
    "{",
    "no JSON at all",
    "[]",
    "null",
    "{}",
    "[" * 50_000,
    json.dumps({"detail": "text"}),
    json.dumps({"detail": record(eventName="Unheard")}),
    json.dumps({"detail": record(eventTime="yesterday")}),
    json.dumps({"detail": record(userIdentity=None)}),
    json.dumps({"detail": record(requestParameters=None)}),
    json.dumps({"detail": record(requestParameters={"secretId": "half a pair \ud800"})}),
)


@pytest.fixture
def pipeline(deployed: Deployed) -> Iterator[Pipeline]:
    topic, kind = deployed.alerts_topic_arn, json.dumps({"kind": ["unusual-access"]})
    with deaf(deployed, "reads", "decryptions", "versions"):
        inbox = Inbox.make(deployed.account).subscribe(topic, FilterPolicy=kind)
        made = Pipeline(deployed, inbox)
        made.drain()
        made.dead_letters()
        with made.batches_of(BATCH):
            yield made
        made.forget()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_and_nothing_told_twice_whatever_happens_to_the_pipeline(
    pipeline: Pipeline, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - a generator of test data
    with secrets_of(pipeline.deployed, secret_names(seed)) as arns:
        day = traffic(seed, min(EVENTS, ROUND), arns, ACCOUNT, REGION)
        expected = in_order(day)
        pipeline.put(day.known.values())
        pipeline.send(POISON)
        for number, hour in enumerate(hours(day.records)):
            if number in THROTTLED:
                pipeline.throttle()
            pipeline.publish(disordered(hour, random))
            if number in KILLED:
                pipeline.kill()
            pipeline.drain()
    assert Counter(pipeline.dead_letters()) == Counter(POISON), pipeline.reasons()
    assert pipeline.strikes == len(KILLED)
    found = pipeline.items()
    assert findings(found) == findings(expected)
    assert differences(found, expected) == []
    told = pipeline.messages()
    assert levels(told) == {f"access/{one.id}": one.level.value for one in incidents(found)}
    # Whoever dies, or gets no answer, between saying and noting that it was said says it again.
    assert len(told) - len(set(map(str, told))) <= len(KILLED) + len(THROTTLED)


def test_what_lay_in_the_table_is_neither_seen_nor_lost(pipeline: Pipeline) -> None:
    lay = {"pk": {"S": f"principal#root:{ACCOUNT}"}, "sk": {"S": "profile"}}
    client, table = pipeline.deployed.account.client("dynamodb"), pipeline.table
    raw = {**lay, "expires": {"N": "1"}, "revision": {"N": "7"}, "known": {"S": '{"minima": {}}'}}
    client.put_item(TableName=table, Item=raw)
    known = Item(Key(lay["pk"]["S"], lay["sk"]["S"]), minima={"first": 1})
    pipeline.put([known])
    assert pipeline.items() == {known.key: known}
    pipeline.forget()
    assert client.get_item(TableName=table, Key=lay)["Item"] == raw


def hours(records: list[Record]) -> list[list[Record]]:
    """CloudTrail is late by minutes; within an hour any order is tried."""
    return [list(hour) for _, hour in groupby(records, lambda record: record["eventTime"][:13])]


def disordered(records: list[Record], random: Random) -> list[Record]:
    """In any order, and some of them twice."""
    again = random.sample(records, int(len(records) * TWICE))
    return random.sample([*records, *again], len(records) + len(again))


def in_order(day: Traffic) -> dict[Key, Item]:
    """What is known after the same day, each record once and in order, in batches of ten."""
    world = World(table=Table(dict(day.known)), names=day.names)
    for start in range(0, len(day.records), 10):
        world.see(*day.records[start : start + 10])
    return world.table.items


def findings(items: dict[Key, Item]) -> dict[str, tuple[Any, ...]]:
    """By principal: why, and how many secrets it concerns; and how severe.

    A network that is new to everybody is said of whose record comes first, and whether an hour is
    odd depends on those before it; and a person who is new to a secret weighs less once a colleague
    with the same permission set reads it. Nothing else may change in any order but the true one.
    """
    found = dict[str, tuple[Any, ...]]()
    for one in incidents(items):
        kinds = {reason.kind for reason in one.reasons}
        if kinds - BY_ORDER:
            colleagues = one.principal.startswith("person:") and SignalKind.NEW_READER in kinds
            level = ANY if colleagues or kinds & BY_ORDER else one.level.value
            found[one.principal] = (sorted(kinds - BY_ORDER), one.count, level)
    return found


def incidents(items: dict[Key, Item]) -> list[Incident]:
    every = (incident(item) for key, item in items.items() if key.sk.startswith("incident#"))
    return [one for one in every if one is not None]


def levels(told: list[Any]) -> dict[str, str]:
    """By topic, the most severe that people were told."""
    most = dict[str, Severity]()
    for one in told:
        severity = Severity(one["severity"])
        most[one["topic"]] = max(most.get(one["topic"], severity), severity, key=_rank)
    return {topic: severity.value for topic, severity in most.items()}


def _rank(severity: Severity) -> int:
    return severity.rank


def differences(found: dict[Key, Item], expected: dict[Key, Item]) -> list[str]:
    """In what the table differs from what the same events in order leave behind."""
    keys = sorted(found.keys() | expected.keys())
    return [
        f"{key}: {found.get(key)} and not {expected.get(key)}"
        for key in keys
        if not key.sk.startswith("incident#") and not alike(found.get(key), expected.get(key))
    ]


def alike(found: Item | None, expected: Item | None) -> bool:
    """Whether both say the same, as exactly as it is kept.

    What was seen last is written every few hours only. A window may hold more, as what a late
    record shows to have been later was counted as the first; and what it holds of secrets that
    the reader knew already depends on how many it knew when they came. What follows from windows,
    findings say. Of another account only counts that it is known, and of a network not even that:
    it may be the one that filled up somebody's, or the one after it.
    """
    if any(item and _begins(item, NETWORKS) for item in (found, expected)):
        return True
    if found is None or expected is None:
        return expected is None and found is not None and found.key.sk.startswith("window#")
    if found.key.sk.startswith("window#"):
        sets = (
            (found.members(name), members, SET_CAPS[name])
            for name, members in expected.sets.items()
            if name != "secrets"
        )
        return all(members <= more or len(more) == most for more, members, most in sets)
    if _begins(found, ("account",)):
        return True
    return (
        (found.minima, found.sets) == (expected.minima, expected.sets)
        and all(alike_maxima(found, expected, family) for family in ("", *MAXIMA_CAPS))
        and abs(found.expires - expected.expires) < LONGER
    )


def _begins(item: Item, kinds: tuple[str, ...]) -> bool:
    return item.key.pk.startswith(tuple(f"principal#{kind}:" for kind in kinds))


def alike_maxima(found: Item, expected: Item, family: str) -> bool:
    """Of those that are many, the same number is kept: which, their times say."""
    one, two = (_maxima(item, family) for item in (found, expected))
    if len(one) == len(two) == MAXIMA_CAPS.get(family):
        return True
    return one.keys() == two.keys() and all(abs(at - two[n]) < leeway(n) for n, at in one.items())


def _maxima(item: Item, family: str) -> dict[str, int]:
    def is_of(name: str) -> bool:
        return name.startswith(f"{family}:") if family else ":" not in name

    return {name: at for name, at in item.maxima.items() if is_of(name)}


def leeway(name: str) -> int:
    family = name.partition(":")[0]
    if family in TIMES:
        return Thresholds().refresh
    return DAY if family == "n" else 1
