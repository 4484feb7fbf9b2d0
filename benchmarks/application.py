"""One application: its user on the server, its secret in the account, and rotations of it."""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pg8000.native import identifier, literal

from benchmarks.stage import BenchError, Stage, wait_for
from local.postgres_address import SUPERUSER
from rekey.model import Label, Step, Strategy

ENDS = frozenset({"RotationSucceeded", "RotationFailed", "RotationAbandoned"})
REPORT = re.compile(r"^REPORT .*?\tDuration: ([0-9.]+) ms")
TIMED = re.compile(r"^TIMED ([0-9.]+)")
AUTHORIZED = "connection authorized: user="
STATEMENTS = ("LOG:  statement:", "LOG:  execute ")


@dataclass(frozen=True)
class Cost:
    """Of one step or of a whole rotation."""

    calls: int
    logins: int
    milliseconds: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.calls + other.calls,
            self.logins + other.logins,
            self.milliseconds + other.milliseconds,
        )


@dataclass(frozen=True)
class Rotation:
    """What one rotation took; `statements` are those that the server logged."""

    steps: dict[Step, Cost]
    statements: int

    @property
    def whole(self) -> Cost:
        return sum(self.steps.values(), start=Cost(0, 0, 0.0))


@dataclass
class Login:
    username: str
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)


class Application:
    """Rotated by the function `function_arn`. With `login`, the user exists on the server."""

    def __init__(
        self, stage: Stage, strategy: Strategy, function_arn: str, login: Login | None = None
    ) -> None:
        self.stage = stage
        self.function_arn = function_arn
        if login is None:
            login = create_user(stage)
        document = {"username": login.username, "password": login.password}
        if strategy is Strategy.ALTERNATING_USERS:
            document["masterarn"] = self._superuser()
        self.arn = stage.store(f"app-{secrets.token_hex(6)}", document, {})

    def _superuser(self) -> str:
        document = {"username": SUPERUSER, "password": self.stage.postgres.password}
        tags = {"rekey:superuser": "true"}
        return self.stage.store(f"superuser-{secrets.token_hex(6)}", document, tags)

    def ask(self) -> None:
        """RotateSecret."""
        self.stage.secrets_manager.rotate_secret(
            SecretId=self.arn,
            RotationLambdaARN=self.function_arn,
            RotationRules={"AutomaticallyAfterDays": 30},
        )

    def rotate(self, *, cold: bool = False) -> Rotation:
        """One rotation, and nothing else at the same time. Raises BenchError if it fails.

        `cold`: in a fresh environment, whose start counts.
        """
        if cold:
            self.stage.set_environment(self.function_arn, COLD=secrets.token_hex(4))
        records, said = self.stage.next_record(), len(self._lines())
        logged = self.stage.postgres.log.stat().st_size
        self.ask()
        wait_for(lambda: self._end(records), "the end of a rotation")
        wait_for(lambda: None if self.stage.is_rotating() else True, "the service to be done")
        lines = self.stage.postgres.log.read_bytes()[logged:].decode(errors="replace").splitlines()
        return Rotation(
            steps(
                self._calls(records),
                sum(AUTHORIZED in line for line in lines),
                durations(self._lines()[said:], of_start=cold),
            ),
            sum(any(mark in line for mark in STATEMENTS) for line in lines),
        )

    def rotate_once(self) -> None:
        """A rotation of which nothing is measured. Raises BenchError if it fails."""
        records = self.stage.next_record()
        self.ask()
        wait_for(lambda: self._end(records), "the end of a rotation")
        wait_for(lambda: None if self.stage.is_rotating() else True, "the service to be done")

    def value(self, label: Label) -> dict[str, Any]:
        """What the version with this label holds."""
        answer = self.stage.secrets_manager.get_secret_value(SecretId=self.arn, VersionStage=label)
        document: dict[str, Any] = json.loads(answer["SecretString"])
        return document

    def put(self, document: dict[str, Any], labels: Sequence[Label]) -> None:
        """A new version with these labels."""
        self.stage.secrets_manager.put_secret_value(
            SecretId=self.arn, SecretString=json.dumps(document), VersionStages=list(labels)
        )

    def pending(self) -> str | None:
        """The version with AWSPENDING, unless it is AWSCURRENT."""
        labels = self.stage.secrets_manager.describe_secret(SecretId=self.arn)
        for version, held in labels["VersionIdsToStages"].items():
            if Label.PENDING in held and Label.CURRENT not in held:
                return str(version)
        return None

    def _end(self, since: int) -> str | None:
        for record in self.stage.records(since):
            if record["eventName"] in ENDS:
                if record["eventName"] != "RotationSucceeded":
                    raise BenchError(f"{self.function_arn}: {record.get('errorMessage')}")
                return str(record["eventName"])
        return None

    def _calls(self, since: int) -> list[str]:
        """What the function asked Secrets Manager, in order."""
        return [
            record["eventName"]
            for record in self.stage.records(since)
            if record["eventSource"] == "secretsmanager.amazonaws.com"
            and record["userIdentity"].get("type") == "AssumedRole"
        ]

    def _lines(self) -> list[str]:
        """What the function wrote since it exists, and what Lambda wrote about it, in order."""
        group = f"/aws/lambda/{self.function_arn.rpartition(':')[2]}"
        logs = self.stage.account.client("logs")
        try:
            pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=group))
        except logs.exceptions.ResourceNotFoundException:
            return []  # It has never run.
        events = sorted((e for page in pages for e in page["events"]), key=lambda e: e["timestamp"])
        return [event["message"] for event in events]


def durations(lines: list[str], *, of_start: bool) -> list[float]:
    """Milliseconds of each step: the handler's own or, with the start, Lambda's."""
    mark = REPORT if of_start else TIMED
    return [float(found[1]) for line in lines if (found := mark.search(line))]


def steps(calls: list[str], logins: int, milliseconds: list[float]) -> dict[Step, Cost]:
    """The costs of each step.

    createSecret ends with its PutSecretValue, finishSecret begins with the second DescribeSecret,
    and testSecret, before it, reads one version and logs in once.
    """
    if Counter(calls)["DescribeSecret"] != 2 or len(milliseconds) != len(Step):  # noqa: PLR2004 - two steps begin with it
        raise BenchError(f"not one clean rotation: {calls}, {milliseconds}")
    created = calls.index("PutSecretValue") + 1
    finishing = len(calls) - calls[::-1].index("DescribeSecret") - 1
    share = [created, finishing - 1 - created, 1, len(calls) - finishing]
    costs = zip(share, [0, logins - 1, 1, 0], milliseconds, strict=True)
    return {step: Cost(*cost) for step, cost in zip(Step, costs, strict=True)}


def create_user(stage: Stage) -> Login:
    login = Login(f"app_{secrets.token_hex(4)}")
    create = f"CREATE ROLE {identifier(login.username)} LOGIN PASSWORD {literal(login.password)}"
    stage.postgres.execute(create)
    return login
