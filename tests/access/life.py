"""Ordinary life of an organisation, as CloudTrail would record it. The same seed, the same life.

Day 0 is the first that is measured; days before it are history. In history, what reads again and
again is thinned to once a day: it adds nothing that was not known.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random

from tests.access import records as shapes
from tests.access.organisation import (
    BROWSER,
    CLI,
    DAYS_BETWEEN,
    LIBRARIES,
    Actor,
    Organisation,
    Reads,
    Way,
    address,
    ending,
    found,
    person,
    service,
)
from tests.access.records import MORNING, Record, arn

DAY, HOUR = 86_400, 3_600
START = MORNING - 8 * HOUR
DUPLICATES, LATE = 0.01, 0.05
LATEST = 900


@dataclass
class Life:
    """``records(day)`` must be called for one day after the other."""

    seed: int
    thin: bool = False
    org: Organisation = field(init=False)
    random: Random = field(init=False)
    current: dict[str, str] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.org = found(self.seed)
        self.random = Random(self.seed + 1)  # noqa: S311 - a generator of test data

    def records(self, day: int, *, history: bool = False) -> list[Record]:
        """A day's records in the order in which they arrive."""
        self._change(day)
        days = [r for actor in list(self.org.actors) for r in self._of(actor, day, history)]
        days += self._rotations(day)
        return self._delivered(days)

    def version(self, secret: str) -> str:
        return self.current.setdefault(secret, self._id())

    def identity(self, actor: Actor, session: int = 0) -> Record:
        match actor.kind:
            case "person":
                name, _, permission_set = actor.name.partition("/")
                return shapes.person(name, permission_set)
            case "user":
                return shapes.user(actor.name)
            case "service":
                return {"type": "AWSService", "invokedBy": actor.name}
            case "account":
                caller = f"AROA{actor.name.upper()}:session"
                return {
                    "type": "AWSAccount",
                    "accountId": actor.account,
                    "principalId": caller,
                }
            case _:
                return shapes.role(actor.name, f"session-{session}-{actor.version}")

    def role_made(self, arn: str) -> int | None:
        """When the role was made; what is older than the organisation is very old."""
        return self.made.get(arn.rpartition("/")[2], START - 400 * DAY)

    def read(self, actor: Actor, secret: str, at: float, **more: str) -> list[Record]:
        """A read with its companion, from where and with what the actor reads; or its denial."""
        identity = self.identity(actor, self.random.randrange(max(1, actor.sessions)))
        given = {"secretId": self.random.choice((secret, secret, secret[:-7], _name(secret)))}
        if actor.kind == "denied":
            made = self._origin(actor, identity, at, more)
            return [self._named(shapes.denied(given["secretId"], **made))]
        version = self.version(secret)
        if actor.by_version:
            given["versionId"] = version
        asked = shapes.record(requestParameters=given, **self._origin(actor, identity, at, more))
        companion = shapes.decrypt(
            secret, version, userIdentity=identity, eventTime=asked["eventTime"]
        )
        return [self._named(asked), self._named(companion)]

    def call(self, name: str, actor: Actor, at: float, asked: Record) -> Record:
        made = self._origin(actor, self.identity(actor), at, {})
        return self._named(shapes.record(name, requestParameters=asked, **made))

    def _origin(self, actor: Actor, identity: Record, at: float, more: dict[str, str]) -> Record:
        way = actor.way
        source = self.random.choice(way.addresses) if way.addresses else address(self.random)
        endpoint = {"vpcEndpointId": way.endpoint} if way.endpoint else {}
        agent = actor.agent.replace("{n}", str(actor.version))
        origin = {"sourceIPAddress": source, "userAgent": agent, "eventTime": shapes.stamp(at)}
        if agent.startswith("Mozilla"):
            origin["sessionCredentialFromConsole"] = "true"
        return {"userIdentity": identity, **origin, **endpoint, **more}

    def _named(self, record: Record) -> Record:
        return {**record, "eventID": self._id()}

    def _id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128)))

    def _of(self, actor: Actor, day: int, history: bool) -> Iterator[Record]:
        if not actor.since <= day < actor.until:
            return
        begin = START + day * DAY
        match actor.reads:
            case Reads.AT_WORK:
                yield from self._work(actor, day, begin)
            case Reads.ALL_AT_ONCE:
                yield from self._all(actor, begin, history)
            case Reads.BY_CLOCK:
                yield from self._clock(actor, day, begin, history)
            case Reads.AT_START | Reads.BY_CALLS:
                yield from self._again(actor, begin, history)

    def _again(self, actor: Actor, begin: float, history: bool) -> Iterator[Record]:
        every = max(actor.every, 24.0) if history else actor.every
        at = begin + self.random.random() * every * HOUR
        while at < begin + DAY:
            for secret in actor.secrets:
                yield from self.read(actor, secret, at + self.random.random() * 5)
            jitter = self.random.expovariate(1) if actor.reads is Reads.BY_CALLS else 1
            at += every * HOUR * max(jitter, 0.02)

    def _clock(self, actor: Actor, day: int, begin: float, history: bool) -> Iterator[Record]:
        every, offset = actor.every, sum(map(ord, actor.name)) % 24
        if every >= 24:
            due = day % int(every // 24) == offset % int(every // 24)
            hours: list[float] = [offset] if due else []
        else:
            hours = [2.0] if history else [n * every for n in range(int(24 // every))]
        for hour in hours:
            for secret in actor.secrets:
                yield from self.read(actor, secret, begin + hour * HOUR + self.random.random() * 90)

    def _all(self, actor: Actor, begin: float, history: bool) -> Iterator[Record]:
        every = max(actor.every, 24.0) if history else actor.every
        at = begin + self.random.random() * every * HOUR
        while at < begin + DAY:
            if actor.name in ("terraform", "scanner"):
                yield self.call("ListSecrets", actor, at, {"maxResults": 100})
            for secret in actor.secrets or self.org.secrets[:100]:
                moment = at + self.random.random() * 120
                if not actor.secrets:
                    yield self.call("DescribeSecret", actor, moment, {"secretId": secret})
                else:
                    yield from self.read(actor, secret, moment)
            at += every * HOUR * self.random.uniform(0.5, 1.5)

    def _work(self, actor: Actor, day: int, begin: float) -> Iterator[Record]:
        if day % 7 > 4 and self.random.random() > 0.03:
            return
        if self.random.random() > 24 / actor.every:
            return
        at = begin + self.random.gauss(13, 2.5) * HOUR
        today = replace(actor, agent=self.random.choice((actor.agent, actor.agent, BROWSER, CLI)))
        if self.random.random() < 0.5:
            today.way = self.org.office
        wanted = self.random.sample(actor.secrets, min(len(actor.secrets), self._few()))
        if self.random.random() < 1 / DAYS_BETWEEN["help in another team"]:
            wanted.append(self.random.choice(self.org.secrets))
        if today.agent == BROWSER:
            yield self.call("ListSecrets", today, at, {"maxResults": 50})
        for secret in wanted:
            at += self.random.random() * 600
            yield from self.read(today, secret, at)

    def _few(self) -> int:
        return min(1 + int(self.random.expovariate(1)), 5)

    def _rotations(self, day: int) -> Iterator[Record]:
        """The function's own reads never arrive: the rule leaves them out."""
        for secret in self.org.secrets[::3]:
            if self.random.random() < 1 / DAYS_BETWEEN["rotation of a secret"]:
                at, new = START + (day + self.random.random()) * DAY, self._id()
                old = self.version(secret)
                asked = {"secretId": secret, "versionStage": "AWSCURRENT"}
                moved = {**asked, "moveToVersionId": new, "removeFromVersionId": old}
                made = shapes.record(
                    "UpdateSecretVersionStage",
                    requestParameters=moved,
                    eventTime=shapes.stamp(at),
                    userIdentity=shapes.role("rotation-function"),
                )
                self.current[secret] = new
                yield self._named(made)

    def _delivered(self, records: list[Record]) -> list[Record]:
        """At least once, and not in order."""
        timed = []
        for record in records:
            late = self.random.random() < LATE
            delay = self.random.uniform(60, LATEST) if late else self.random.uniform(0, 60)
            timed.append((record["eventTime"], delay, record))
            if self.random.random() < DUPLICATES:
                timed.append((record["eventTime"], self.random.uniform(0, LATEST), record))
        return [record for *_, record in sorted(timed, key=_arrival)]

    def _change(self, day: int) -> None:
        for actor in [one for one in self.org.actors if one.reads is Reads.AT_START]:
            if self._happens("deployment of a service"):
                actor.version += 1
        for actor in [one for one in self.org.actors if one.kind == "person"]:
            if self._happens("another network for a person"):
                actor.way = Way(None, [*actor.way.addresses[-1:], address(self.random)])
        changes = {
            "replacement of a role": self._replace_role,
            "another secret for a service": self._another_secret,
            "new service with new secrets": self._new_service,
            "denied for a wrong policy": self._wrong_policy,
            "another way out of a VPC": self._another_way,
            "another endpoint of a VPC": self._another_endpoint,
            "another library": self._another_library,
            "other addresses of the VPN": self._another_vpn,
            "first day of a person": self._new_person,
        }
        for name, change in changes.items():
            if self._happens(name):
                change(day)

    def _happens(self, what: str) -> bool:
        return self.random.random() < 1 / DAYS_BETWEEN[what]

    def _services(self) -> list[Actor]:
        return [actor for actor in self.org.actors if actor.reads is Reads.AT_START]

    def _replace_role(self, day: int) -> None:
        old = self.random.choice(self._services())
        name = f"{old.name.rpartition('-')[0]}-{ending(self.random).upper()}"
        self.made[name] = START + day * DAY - self.random.randrange(HOUR)
        self.org.actors.append(replace(old, name=name, since=day))
        old.until = day + 1

    def _another_secret(self, _: int) -> None:
        actor = self.random.choice(self._services())
        more = self.random.choice(self.org.owned[actor.team])
        actor.secrets = [*dict.fromkeys([*actor.secrets, more])]

    def _new_service(self, day: int) -> None:
        team = self.random.randrange(len(self.org.owned))
        secrets = [arn(f"team{team:02}/new{day}-{n}", ending(self.random)) for n in range(3)]
        old = self.random.choice(self.org.owned[team])
        actor = service(self.org, 900 + day, [*secrets, old], team)
        self.made[actor.name] = START + day * DAY - self.random.randrange(5 * HOUR)
        self.org.actors.append(replace(actor, since=day))

    def _wrong_policy(self, day: int) -> None:
        """A service asks for a secret of its team that it may not read, until it is put right."""
        actor = self.random.choice(self._services())
        secret = self.random.choice(self.org.owned[actor.team])
        self.org.actors.append(
            replace(actor, reads=Reads.AT_START, secrets=[secret], since=day, until=day + 1)
        )
        self.org.actors[-1].kind = "denied"

    def _another_way(self, _: int) -> None:
        vpc = self.random.choice([one for one in self.org.vpcs if one.endpoint is None])
        vpc.addresses = [address(self.random) for _ in range(2)]

    def _another_endpoint(self, _: int) -> None:
        vpc = self.random.choice([one for one in self.org.vpcs if one.endpoint])
        vpc.endpoint = f"vpce-{self._id()[:8]}"

    def _another_library(self, _: int) -> None:
        actor = self.random.choice(self._services())
        place = actor.agent.rpartition("exec-env/")[2]
        actor.agent = self.random.choice(LIBRARIES).replace("{place}", place)

    def _another_vpn(self, _: int) -> None:
        self.org.office.addresses = [*self.org.office.addresses[1:], address(self.random)]

    def _new_person(self, day: int) -> None:
        self.org.actors.append(person(self.org, 500 + day, since=day))


def _arrival(timed: tuple[str, float, Record]) -> float:
    return datetime.fromisoformat(timed[0]).timestamp() + timed[1]


def _name(secret: str) -> str:
    return secret.partition(":secret:")[2][:-7]
