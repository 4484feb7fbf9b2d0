"""Applications with a database user and a secret, rotated through the deployed stack."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, TypeVar

import pg8000.native
from pg8000.native import literal

from local.postgres import Postgres
from rekey.engines.postgresql.verifier import scram_sha_256
from tests.conftest import Deployed
from tests.database import new_password
from tests.postgres_database import PostgresServer

PATIENCE = 60.0
ENDS = frozenset({"RotationSucceeded", "RotationFailed", "RotationAbandoned"})
TEST_ENDS = frozenset({"TestRotationSucceeded", "TestRotationFailed"})

T = TypeVar("T")
Document = dict[str, Any]


def wait_for(condition: Callable[[], T | None], what: str, patience: float = PATIENCE) -> T:
    """Return what ``condition`` finds, as soon as it finds something."""
    limit = time.monotonic() + patience
    while time.monotonic() < limit:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {patience} s for {what}")


@dataclass
class Rotated:
    """A secret in the account, how it is rotated, and what was recorded since it exists."""

    deployed: Deployed
    _: KW_ONLY
    passwords: list[str] = field(default_factory=list)
    arn: str = ""
    superuser_arn: str = ""
    first_record: int = 0

    @property
    def client(self) -> Any:
        return self.deployed.account.client("secretsmanager")

    @property
    def function_arn(self) -> str:
        """The function that rotates it."""
        return self.deployed.rotation_function_arn

    def new_password(self) -> str:
        self.passwords.append(new_password())
        return self.passwords[-1]

    def next_record(self) -> int:
        return int(self.deployed.account.control(f"records?after={10**9}")["next"])

    def create(self, kind: str, document: Document, tags: Document) -> str:
        answer = self.client.create_secret(
            Name=f"{kind}-{secrets.token_hex(6)}",
            SecretString=json.dumps(document),
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
        return str(answer["ARN"])

    def refusal(self, username: str, password: str) -> str | None:
        """Why the server refuses the login; None if it takes it."""
        raise NotImplementedError

    def rotate(self, **parameters: Any) -> str:
        """RotateSecret, as a user calls it; the token."""
        answer = self.client.rotate_secret(
            SecretId=self.arn,
            **{
                "RotationLambdaARN": self.function_arn,
                "RotationRules": {"AutomaticallyAfterDays": 30},
                **parameters,
            },
        )
        return str(answer["VersionId"])

    def rotate_and_wait(self, **parameters: Any) -> Document:
        """RotateSecret, and the service's own event about how it ended."""
        since = self.next_record()
        self.rotate(**parameters)
        return self.end(since)

    def end(self, since: int, ends: frozenset[str] = ENDS) -> Document:
        def ended() -> Document | None:
            return next((r for r in self.records(since) if r["eventName"] in ends), None)

        record = wait_for(ended, "the end of the rotation")
        wait_for(lambda: not self.rotating() or None, "the service to finish its work")
        return record

    def rotating(self) -> bool:
        return bool(self.deployed.account.control("rotation")["running"])

    def records(self, since: int | None = None) -> list[Document]:
        """The CloudTrail records that name this application's secrets."""
        start = self.first_record if since is None else since
        records = self.deployed.account.control(f"records?after={start}")["records"]
        wanted = [self.arn, *([self.superuser_arn] if self.superuser_arn else [])]
        return [r for r in records if any(arn in json.dumps(r) for arn in wanted)]

    def value(self, label: str) -> Document:
        answer = self.client.get_secret_value(SecretId=self.arn, VersionStage=label)
        document: Document = json.loads(answer["SecretString"])
        self.passwords.append(document["password"])
        return document

    def labels(self) -> dict[str, list[str]]:
        answer = self.client.describe_secret(SecretId=self.arn)["VersionIdsToStages"]
        return {version: sorted(labels) for version, labels in answer.items()}

    def log_lines(self) -> list[Document]:
        """The structured lines of the rotation function about this secret."""
        lines = function_log(self.deployed, self.function_arn)
        return [line for line in lines if line.get("secret_arn") == self.arn]


@dataclass
class Application(Rotated):
    """A user on PostgreSQL and its secret."""

    postgres: Postgres
    alternating: bool = False
    superuser_tags: Document = field(default_factory=lambda: {"rekey:superuser": "true"})
    keys: Document = field(default_factory=dict)
    name: str = field(default_factory=lambda: f"app_{secrets.token_hex(4)}")

    def __post_init__(self) -> None:
        self.first_record = self.next_record()
        password = self.new_password()
        # Not in clear: the canary looks for every password in the server's log.
        verifier = literal(scram_sha_256(password))
        self.postgres.execute(f"CREATE ROLE {self.name} LOGIN PASSWORD {verifier}")
        if self.alternating and not self.superuser_arn:
            document = self.document("postgres", self.postgres.password)
            self.superuser_arn = self.create("superuser", document, self.superuser_tags)
        document = self.document(self.name, password)
        if self.alternating:
            document["masterarn"] = self.superuser_arn
        self.arn = self.create("app", document, {})

    @property
    def server(self) -> PostgresServer:
        return PostgresServer(self.postgres, self.name, self.passwords[0])

    def document(self, username: str, password: str) -> Document:
        document = {
            "engine": "postgres",
            "host": self.postgres.host,
            "port": self.postgres.port,
            "username": username,
            "password": password,
            **self.keys,
        }
        return {key: value for key, value in document.items() if value is not None}

    def logs_in(self, label: str) -> bool:
        document = self.value(label)
        return self.server.logs_in(document["username"], document["password"])

    def refusal(self, username: str, password: str) -> str | None:
        try:
            with self.postgres.connect(username, password) as connection:
                connection.run("SELECT 1")
        except pg8000.native.DatabaseError as error:
            return str(error.args[0]["C"])
        return None


def function_log(deployed: Deployed, function_arn: str = "") -> Iterator[Document]:
    """The structured lines of a rotation function: PostgreSQL's if none is named."""
    for text in function_text(deployed, function_arn):
        if text.startswith("{"):
            yield json.loads(text)


def function_text(deployed: Deployed, function_arn: str = "") -> list[str]:
    """Everything that the function has written."""
    arn = function_arn or deployed.rotation_function_arn
    group = f"/aws/lambda/{arn.rpartition(':')[2]}"
    pages = deployed.account.client("logs").get_paginator("filter_log_events")
    return [e["message"] for page in pages.paginate(logGroupName=group) for e in page["events"]]


@contextmanager
def retries(deployed: Deployed, attempts: int) -> Iterator[None]:
    """Let the service try a failed rotation so many times, and at once."""
    before = deployed.account.control("rotation")
    deployed.account.control("rotation", {"attempts": attempts, "delays": [0.2]})
    try:
        yield
    finally:
        settings = {key: before[key] for key in ("attempts", "delays")}
        deployed.account.control("rotation", settings)
