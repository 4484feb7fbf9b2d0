"""One database user with its secret, rotated by one side and observed from outside."""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pg8000.native import identifier, literal

from benchmarks.compare.server_log import Session, sessions
from benchmarks.compare.stage import HOST, Side, Stage, Target
from benchmarks.compare.templates import CompareError, Strategy

PATIENCE = 180.0
INTERVAL = 0.004
ENDS = frozenset({"RotationSucceeded", "RotationFailed", "RotationAbandoned"})
Document = dict[str, Any]


def wait_until(condition: Callable[[], bool], what: str) -> None:
    limit = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > limit:
            raise CompareError(f"waited {PATIENCE:.0f} s for {what}")
        time.sleep(INTERVAL)


@dataclass(frozen=True)
class Observation:
    """One rotation, seen from outside; `said` are the function's own log messages."""

    end: str
    seconds: float
    calls: Counter[str]
    log: str
    said: list[str]

    @property
    def succeeded(self) -> bool:
        return self.end == "RotationSucceeded"

    @property
    def sessions(self) -> list[Session]:
        return sessions(self.log)


@dataclass
class Application:
    """`keys` are further members of its secret; `ssl` is there unless they say None."""

    stage: Stage
    side: Side
    strategy: Strategy
    target: Target
    keys: Mapping[str, Any] = field(default_factory=dict)
    name: str = field(default_factory=lambda: f"app_{secrets.token_hex(4)}")
    arn: str = ""

    def __post_init__(self) -> None:
        password = secrets.token_urlsafe(24)
        self.target.execute(
            f"CREATE ROLE {identifier(self.name)} LOGIN PASSWORD {literal(password)}",
            f"CREATE SCHEMA AUTHORIZATION {identifier(self.name)}",
        )
        document = self._document(self.name, password)
        if self.strategy is Strategy.ALTERNATING_USERS:
            superuser = self._document("postgres", self.target.postgres.password)
            document["masterarn"] = self._store(superuser, {"rekey:superuser": "true"})
        self.arn = self._store(document, {})

    @property
    def clone(self) -> str:
        return f"{self.name}_clone"

    @property
    def function(self) -> str:
        return self.side.functions[self.strategy]

    def rotate(self, attempts: int = 1) -> Observation:
        """A whole rotation until the service has done all it does on its own."""
        with retries(self.stage, attempts), self.observing() as finished:
            self.start()
            return finished()

    def start(self) -> None:
        self.stage.secrets_manager.rotate_secret(
            SecretId=self.arn,
            RotationLambdaARN=self.function,
            RotationRules={"AutomaticallyAfterDays": 30},
        )

    @contextmanager
    def observing(self) -> Iterator[Callable[[], Observation]]:
        """The function that is yielded waits for the end of a rotation."""
        record, size, lines = self._next_record(), self.target.log_size(), len(self._messages())
        started = time.monotonic()

        def finished() -> Observation:
            wait_until(self._idle, "the service to finish its work")
            seconds = time.monotonic() - started
            wait_until(lambda: bool(self._ends(record)), "the event that ends a rotation")
            records = self.stage.account.control(f"records?after={record}")["records"]
            return Observation(
                end=self._ends(record)[-1],
                seconds=seconds,
                calls=Counter(r["eventName"] for r in records if _made_by_function(r)),
                log=self.target.log_since(size),
                said=self._messages()[lines:],
            )

        yield finished

    def value(self, **version: str) -> Document:
        answer = self.stage.secrets_manager.get_secret_value(SecretId=self.arn, **version)
        document: Document = json.loads(answer["SecretString"])
        return document

    def put(self, document: Document) -> None:
        """Writes a value as a person does, who knows of no rotation."""
        self.stage.secrets_manager.put_secret_value(
            SecretId=self.arn, SecretString=json.dumps(document)
        )

    def logs_in(self) -> bool:
        """Whether AWSCURRENT does."""
        return self._takes(self.value())

    def labels_that_log_in(self) -> list[str]:
        """The labels of versions whose credential the server takes."""
        versions = self.stage.secrets_manager.describe_secret(SecretId=self.arn)
        found = [
            label
            for version, labels in versions["VersionIdsToStages"].items()
            if labels and self._takes(self.value(VersionId=version))
            for label in labels
        ]
        return sorted(found)

    def run(self, document: Document, *statements: str) -> list[list[Any]]:
        """As the application itself, with what a version holds."""
        with self.target.connect(document["username"], document["password"]) as connection:
            return [connection.run(statement) or [] for statement in statements][-1]

    def _takes(self, document: Document) -> bool:
        return self.target.logs_in(document["username"], document["password"])

    def _idle(self) -> bool:
        running: list[str] = self.stage.account.control("rotation")["running"]
        return self.arn not in running

    def _ends(self, record: int) -> list[str]:
        records = self.stage.account.control(f"records?after={record}")["records"]
        return [
            r["eventName"] for r in records if r["eventName"] in ENDS and self.arn in json.dumps(r)
        ]

    def _next_record(self) -> int:
        return int(self.stage.account.control("records")["next"])

    def _messages(self) -> list[str]:
        client = self.stage.account.client("logs")
        group = f"/aws/lambda/{self.function.rpartition(':')[2]}"
        if not client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        pages = client.get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event["message"] for page in pages for event in page["events"]]

    def _document(self, username: str, password: str) -> Document:
        document = {
            "engine": "postgres",
            "host": HOST,
            "port": self.target.postgres.port,
            "username": username,
            "password": password,
            "ssl": self.stage.tls,
            **self.keys,
        }
        return {key: value for key, value in document.items() if value is not None}

    def _store(self, document: Document, tags: Mapping[str, str]) -> str:
        answer = self.stage.secrets_manager.create_secret(
            Name=f"{document['username']}-{secrets.token_hex(6)}",
            SecretString=json.dumps(document),
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
        return str(answer["ARN"])


def _made_by_function(record: Document) -> bool:
    """No other function is at work meanwhile."""
    caller = (record["eventSource"], record["userIdentity"].get("type"))
    return caller == ("secretsmanager.amazonaws.com", "AssumedRole")


@contextmanager
def retries(stage: Stage, attempts: int) -> Iterator[None]:
    """How often Secrets Manager tries a rotation in all, without waiting long in between."""
    before = stage.account.control("rotation")
    stage.account.control("rotation", {"attempts": attempts, "delays": [0.2]})
    try:
        yield
    finally:
        former = {name: before[name] for name in ("attempts", "delays")}
        stage.account.control("rotation", former)
