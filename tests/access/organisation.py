"""Who there is in an invented organisation, and what each of them does with its secrets.

Nothing here knows how a detector looks at it. The numbers are guesses about a middle-sized
organisation, written down in `NUMBERS` so that they can be disputed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from random import Random

from tests.access.records import arn

NUMBERS = {
    "secrets": 500,
    "teams": 12,
    "services": 110,  # containers and instances: read at start, and again every few hours
    "functions": 35,  # outside any VPC: another address of AWS each time
    "jobs": 45,  # by the clock: hourly, nightly, weekly, monthly
    "people": 60,
    "admins": 5,
    "users": 6,  # access keys from other times
    "foreign": 3,  # partners' accounts that read what is shared with them
    "vpcs": 4,
    "shared secrets": 12,
}
DAYS_BETWEEN = {
    "deployment of a service": 6,  # of each: new tasks, the same role
    "replacement of a role": 3,  # in the organisation: the same service, a new role
    "another secret for a service": 4,
    "new service with new secrets": 8,
    "denied for a wrong policy": 2,
    "another way out of a VPC": 12,
    "another endpoint of a VPC": 25,
    "another library": 6,
    "other addresses of the VPN": 10,
    "another network for a person": 9,  # of each
    "help in another team": 25,  # of each person
    "first day of a person": 12,
    "rotation of a secret": 30,  # of each of a third of them
}
LIBRARIES = (
    "Boto3/1.{n}.0 md/Botocore#1.{n}.0 ua/2.0 os/linux#5.10 lang/python#3.12 exec-env/{place}",
    "aws-sdk-java/2.{n}.1 Linux/5.10 OpenJDK_64-Bit_Server_VM/17 exec-env/{place}",
    "aws-sdk-go-v2/1.{n}.0 os/linux lang/go#1.22 api/secretsmanager#1.{n} exec-env/{place}",
    "aws-sdk-js/3.{n}.0 ua/2.0 os/linux#5.10 lang/js md/nodejs#20 exec-env/{place}",
)
CLI = "aws-cli/2.{n}.0 md/awscrt#0.21 os/macos#23 md/command#secretsmanager.get-secret-value"
BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/1{n}.0"
TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.{n}.0 terraform-provider-aws/5.{n}.0 aws-sdk-go-v2"


class Reads(Enum):
    """When an actor reads."""

    AT_START = auto()  # and every few hours
    BY_CALLS = auto()  # whenever it starts, which depends on traffic
    BY_CLOCK = auto()
    ALL_AT_ONCE = auto()  # everything that it manages, within minutes
    AT_WORK = auto()  # a person, on working days


@dataclass
class Way:
    """Out of a VPC: an endpoint, or addresses of its own."""

    endpoint: str | None
    addresses: list[str]


@dataclass
class Actor:
    """Who reads. ``every`` is in hours; ``made`` is when its role was made (day)."""

    kind: str
    name: str
    reads: Reads
    secrets: list[str]
    way: Way
    agent: str
    every: float = 6.0
    made: float = -400.0
    team: int = 0
    sessions: int = 1
    version: int = 30
    account: str | None = None
    since: float = -400.0
    until: float = 10_000.0
    by_version: bool = False
    console: float = 0.0


@dataclass
class Organisation:
    """Actors, and who owns which secrets."""

    random: Random
    secrets: list[str] = field(default_factory=list)
    owned: dict[int, list[str]] = field(default_factory=dict)
    vpcs: list[Way] = field(default_factory=list)
    office: Way = field(default_factory=lambda: Way(None, []))
    actors: list[Actor] = field(default_factory=list)


def address(random: Random) -> str:
    """A public address; the first number keeps it away from private ranges."""
    first = random.choice((13, 18, 34, 52, 54, 62, 77, 81, 88, 91))
    return f"{first}.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(1, 255)}"


def ending(random: Random) -> str:
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "".join(random.choices(letters, k=6))


def found(seed: int) -> Organisation:
    """Make the organisation of a seed."""
    org = Organisation(Random(seed))  # noqa: S311 - a generator of test data
    _secrets(org)
    _networks(org)
    for make in (_services, _functions, _jobs, _platform, _people, _users, _others):
        org.actors += make(org)
    return org


def _secrets(org: Organisation) -> None:
    for number in range(NUMBERS["secrets"]):
        team = number % NUMBERS["teams"]
        secret = arn(f"team{team:02}/app{number:03}", ending(org.random))
        org.secrets.append(secret)
        org.owned.setdefault(team, []).append(secret)


def _networks(org: Organisation) -> None:
    for number in range(NUMBERS["vpcs"]):
        endpoint = f"vpce-0a{number}" if number % 2 else None
        private = [f"10.{number}.{n}.17" for n in range(3)]
        out = private if endpoint else [address(org.random) for _ in range(2)]
        org.vpcs.append(Way(endpoint, out))
    org.office = Way(None, [address(org.random) for _ in range(3)])


def _own(org: Organisation, team: int, most: int) -> list[str]:
    own = org.random.sample(org.owned[team], org.random.randint(1, most))
    shared = org.secrets[: NUMBERS["shared secrets"]]
    return own + ([org.random.choice(shared)] if org.random.random() < 0.4 else [])


def service(org: Organisation, number: int, secrets: list[str], team: int) -> Actor:
    random = org.random
    agent = random.choice(LIBRARIES).replace("{place}", random.choice(("AWS_ECS_FARGATE", "EC2")))
    return Actor(
        "role",
        f"svc-{number:03}-TaskRole-{ending(random).upper()}",
        Reads.AT_START,
        secrets,
        random.choice(org.vpcs),
        agent,
        every=random.choice((1.0, 6.0, 12.0, 24.0)),
        team=team,
        sessions=random.randint(1, 5),
        by_version=random.random() < 0.2,
    )


def _services(org: Organisation) -> list[Actor]:
    made = []
    for number in range(NUMBERS["services"]):
        team = number % NUMBERS["teams"]
        made.append(service(org, number, _own(org, team, 6), team))
    return made


def _functions(org: Organisation) -> list[Actor]:
    return [
        Actor(
            "role",
            f"fn-{number:03}-Role",
            Reads.BY_CALLS,
            _own(org, number % NUMBERS["teams"], 2),
            Way(None, []),
            LIBRARIES[number % 4].replace("{place}", "AWS_Lambda_x"),
            every=org.random.choice((0.5, 2.0, 8.0)),
            team=number % NUMBERS["teams"],
        )
        for number in range(NUMBERS["functions"])
    ]


def _jobs(org: Organisation) -> list[Actor]:
    return [
        Actor(
            "role",
            f"job-{number:03}",
            Reads.BY_CLOCK,
            _own(org, number % NUMBERS["teams"], 4),
            org.random.choice(org.vpcs),
            LIBRARIES[number % 4].replace("{place}", "AWS_ECS_FARGATE"),
            every=org.random.choice((1.0, 24.0, 24.0, 24.0 * 7, 24.0 * 28)),
            team=number % NUMBERS["teams"],
        )
        for number in range(NUMBERS["jobs"])
    ]


def _platform(org: Organisation) -> list[Actor]:
    """What reads many by trade: pipelines, Terraform, an operator that copies into clusters."""
    random, vpc = org.random, org.vpcs
    some, many = random.sample(org.secrets, 80), random.sample(org.secrets, 150)
    ci = [
        Actor("role", f"ci-{n}", Reads.ALL_AT_ONCE, random.sample(org.secrets, 12 + 10 * n),
              Way(None, []), LIBRARIES[2].replace("{place}", "CI"), every=5.0)
        for n in range(3)
    ]  # fmt: skip
    return [
        *ci,
        Actor("role", "terraform", Reads.ALL_AT_ONCE, many, Way(None, []), TERRAFORM, every=20.0),
        Actor("role", "external-secrets", Reads.ALL_AT_ONCE, some, vpc[1],
              LIBRARIES[2].replace("{place}", "external-secrets"), every=4.0),
        Actor("role", "scanner", Reads.ALL_AT_ONCE, [], vpc[0], LIBRARIES[0], every=24.0),
    ]  # fmt: skip


def _people(org: Organisation) -> list[Actor]:
    return [person(org, number, since=-400.0) for number in range(NUMBERS["people"])]


def person(org: Organisation, number: int, since: float) -> Actor:
    """At home or in the office; most with their team's permission set."""
    team, admin = number % NUMBERS["teams"], number < NUMBERS["admins"]
    permission_set = "Administrator" if admin else f"Team{team:02}"
    home = Way(None, [address(org.random)])
    return Actor(
        "person",
        f"p{number:03}@example.com/{permission_set}",
        Reads.AT_WORK,
        org.random.sample(org.owned[team], 12),
        home,
        org.random.choice((CLI, BROWSER)),
        every=org.random.choice((24.0, 48.0, 120.0)),
        team=team,
        since=since,
        console=0.6,
    )


def _users(org: Organisation) -> list[Actor]:
    return [
        Actor(
            "user",
            f"legacy-{number}",
            Reads.BY_CLOCK,
            _own(org, number, 3),
            Way(None, [address(org.random)]),
            LIBRARIES[number % 4].replace("{place}", "datacentre"),
            every=org.random.choice((1.0, 24.0)),
        )
        for number in range(NUMBERS["users"])
    ]


def _others(org: Organisation) -> list[Actor]:
    """Partners' accounts, and services of AWS that read for somebody."""
    partners = [
        Actor("account", f"partner-{n}", Reads.BY_CLOCK, org.secrets[n : n + 2],
              Way(None, [address(org.random)]), LIBRARIES[1].replace("{place}", "EC2"),
              every=12.0, account=f"77700000000{n}")
        for n in range(NUMBERS["foreign"])
    ]  # fmt: skip
    services = [
        Actor("service", name, Reads.BY_CLOCK, org.random.sample(org.secrets, 15),
              Way(None, [name]), name, every=8.0)
        for name in ("rds.amazonaws.com", "dms.amazonaws.com", "appflow.amazonaws.com")
    ]  # fmt: skip
    return [*partners, *services]
