"""Attacks: the real ones, and variants of each kind of harvest that is known, made up by seed.

An attacker acts in the middle of ordinary life, with what he has stolen there. Each attack says
which reasons a finding about it may give; one of them is enough, as an attack may be caught by
any of its traces.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

from rekey.access.signal import SignalKind as Kind
from tests.access import records as shapes
from tests.access.life import HOUR, Life
from tests.access.organisation import BROWSER, CLI, Actor, Reads, Way, address
from tests.access.records import Record, real

STRATUS = "stratus-red-team/aws.credential-access.secretsmanager-{}.json"
PYTHON = "Boto3/1.3{n}.0 md/Botocore#1.3{n}.0 ua/2.0 os/linux#6.5 lang/python#3.11"


@dataclass(frozen=True)
class Attack:
    """``expected``: reasons of which a finding has to give at least one."""

    name: str
    expected: frozenset[Kind]
    make: Callable[[Thief], Iterator[Record]]


@dataclass
class Thief:
    """Somebody who has stolen what ``life`` offers, at ``at`` (epoch)."""

    life: Life
    random: Random
    at: float

    def workload(self) -> Actor:
        """A role that has long been reading from one place."""
        every = [
            actor
            for actor in self.life.org.actors
            if actor.reads is Reads.AT_START and actor.kind == "role" and actor.since < 0
        ]
        return self.random.choice([actor for actor in every if actor.until > 1000])

    def of(self, kind: str) -> Actor:
        return self.random.choice([a for a in self.life.org.actors if a.kind == kind])

    def elsewhere(self, actor: Actor) -> Actor:
        """The same credentials, from the thief's own machine."""
        agent = self.random.choice((CLI, PYTHON, PYTHON))
        return replace(actor, way=Way(None, [address(self.random)]), agent=agent, by_version=False)

    def others(self, actor: Actor, number: int) -> list[str]:
        """Secrets that are none of the actor's team."""
        own = self.life.org.owned[actor.team]
        return self.random.sample([s for s in self.life.org.secrets if s not in own], number)

    def reads(self, actor: Actor, secrets: list[str], pause: float) -> Iterator[Record]:
        for secret in secrets:
            yield from self.life.read(actor, secret, self.at)
            self.at += self.random.uniform(0.5, 1.5) * pause

    def number(self, least: int, most: int) -> int:
        return self.random.randint(least, most)


def _harvest_after_a_listing(thief: Thief) -> Iterator[Record]:
    actor = thief.elsewhere(thief.of("user"))
    for _ in range(3):
        yield thief.life.call("ListSecrets", actor, thief.at, {"maxResults": 100})
    yield from thief.reads(actor, thief.others(actor, thief.number(20, 80)), 2)


def _low_and_slow(thief: Thief) -> Iterator[Record]:
    """With the workload's own tool, from the workload's own place."""
    actor = thief.workload()
    yield from thief.reads(actor, thief.others(actor, thief.number(6, 12)), 5 * HOUR)


def _hijacked_workload(thief: Thief) -> Iterator[Record]:
    actor = thief.elsewhere(thief.workload())
    yield from thief.reads(actor, actor.secrets, 20)
    for secret in thief.others(actor, 3):
        yield _denied(thief, actor, secret)


def _stolen_session(thief: Thief) -> Iterator[Record]:
    """Reads what the session always reads, from somewhere else."""
    actor = thief.elsewhere(thief.workload())
    yield from thief.reads(actor, actor.secrets, 5)


def _another_account(thief: Thief) -> Iterator[Record]:
    foreign = replace(
        thief.workload(),
        kind="account",
        name=f"attacker-{thief.number(0, 999)}",
        account=f"66{thief.number(0, 10**10 - 1):010}",
        way=Way(None, [address(thief.random)]),
        agent=PYTHON,
    )
    yield from thief.reads(foreign, thief.life.org.secrets[: thief.number(1, 5)], 10)


def _spoofed_endpoint(thief: Thief) -> Iterator[Record]:
    """The same private address, through an endpoint of the thief's own VPC."""
    actor = thief.workload()
    addresses = actor.way.addresses if actor.way.endpoint else ["10.1.0.17"]
    yield from thief.reads(
        replace(actor, way=Way(f"vpce-{thief.number(10**6, 10**7)}", addresses)), actor.secrets, 5
    )


def _batch_of_everything(thief: Thief) -> Iterator[Record]:
    actor = thief.workload()
    asked = thief.random.choice(({}, {"filters": [{"key": "name", "values": ["!nothing"]}]}))
    yield thief.life.call("BatchGetSecretValue", actor, thief.at, {**asked, "maxResults": 20})
    yield from thief.reads(actor, actor.secrets, 0.2)


def _batches(thief: Thief) -> Iterator[Record]:
    actor = thief.workload()
    secrets = thief.others(actor, 60)
    for start in range(0, 60, 10):
        asked = {"secretIdList": secrets[start : start + 10]}
        yield thief.life.call("BatchGetSecretValue", actor, thief.at, asked)
        thief.at += 3


def _regions(thief: Thief) -> Iterator[Record]:
    actor = thief.workload()
    for region in thief.random.sample(["us-east-1", "us-west-2", "eu-west-2", "ap-south-1"], 3):
        asked = {"filters": [{"key": "name", "values": ["prod"]}]}
        made = thief.life.call("BatchGetSecretValue", actor, thief.at, asked)
        yield {**made, "awsRegion": region}
        thief.at += 30


def _denied_probing(thief: Thief) -> Iterator[Record]:
    actor = thief.workload()
    for secret in thief.others(actor, thief.number(6, 30)):
        yield _denied(thief, actor, secret)
        thief.at += 20


def _insider(thief: Thief) -> Iterator[Record]:
    """On the console, in working hours, with rights that nobody has ever needed."""
    actor = replace(thief.of("person"), agent=BROWSER)
    yield thief.life.call("ListSecrets", actor, thief.at, {"maxResults": 50})
    yield from thief.reads(actor, thief.others(actor, thief.number(4, 12)), 90)


def _back_door(thief: Thief) -> Iterator[Record]:
    """A user that was made for this, and reads two or three secrets."""
    user = replace(thief.elsewhere(thief.of("user")), name=f"backup-{thief.number(0, 999)}")
    yield from thief.reads(user, thief.others(user, thief.number(2, 3)), 60)


def _root(thief: Thief) -> Iterator[Record]:
    root = {"type": "Root", "accountId": shapes.ACCOUNT, "arn": "arn:aws:iam::1:root"}
    actor = thief.elsewhere(thief.of("user"))
    for record in thief.reads(actor, thief.others(actor, 2), 30):
        yield {**record, "userIdentity": root}


def _pending(thief: Thief) -> Iterator[Record]:
    actor = thief.workload()
    for record in thief.reads(actor, actor.secrets[:1], 1):
        asked = record["requestParameters"]
        if "secretId" in asked:
            yield {**record, "requestParameters": {**asked, "versionStage": "AWSPENDING"}}


def _recorded(name: str) -> Callable[[Thief], Iterator[Record]]:
    """The real records, moved to now; their order and distances stay."""

    def make(thief: Thief) -> Iterator[Record]:
        for number, record in enumerate(real(STRATUS.format(name))):
            at = shapes.stamp(thief.at + number / 5)
            yield {**record, "eventTime": at, "eventID": str(uuid.UUID(int=number + 1))}

    return make


def _denied(thief: Thief, actor: Actor, secret: str) -> Record:
    made = thief.life.call("GetSecretValue", actor, thief.at, {})
    origin = {key: made[key] for key in ("sourceIPAddress", "userAgent", "eventTime", "eventID")}
    return shapes.denied(secret, userIdentity=made["userIdentity"], **origin)


NEW, BURST, SPREAD = Kind.NEW_READER, Kind.BURST, Kind.SPREAD
ATTACKS = (
    Attack("real: 20 secrets after a listing", frozenset({BURST}), _recorded("retrieve-secrets")),
    Attack("real: batches", frozenset({Kind.BATCHES}), _recorded("batch-retrieve-secrets")),
    Attack("harvest after a listing", frozenset({BURST, SPREAD}), _harvest_after_a_listing),
    Attack("low and slow", frozenset({SPREAD, NEW}), _low_and_slow),
    Attack(
        "hijacked workload",
        frozenset({Kind.NEW_NETWORK, Kind.NEW_TOOL, Kind.DENIED_PROBING}),
        _hijacked_workload,
    ),
    Attack("stolen session elsewhere", frozenset({Kind.NEW_NETWORK}), _stolen_session),
    Attack("another account", frozenset({Kind.FOREIGN_ACCOUNT}), _another_account),
    Attack("spoofed VPC endpoint", frozenset({Kind.NEW_NETWORK}), _spoofed_endpoint),
    Attack("batch of everything", frozenset({Kind.CATCH_ALL_BATCH}), _batch_of_everything),
    Attack("batches by list", frozenset({Kind.BATCHES, BURST}), _batches),
    Attack("several regions", frozenset({Kind.REGIONS}), _regions),
    Attack("denied probing", frozenset({Kind.DENIED_PROBING}), _denied_probing),
    Attack("insider on the console", frozenset({NEW, SPREAD}), _insider),
    Attack("back door user", frozenset({NEW, Kind.NEW_NETWORK}), _back_door),
    Attack("root", frozenset({Kind.ROOT}), _root),
    Attack("AWSPENDING", frozenset({Kind.PENDING_READ}), _pending),
)
