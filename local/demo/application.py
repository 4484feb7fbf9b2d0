"""An application that logs in to PostgreSQL with what its secret says."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pg8000.native
import scramp
from pg8000.native import identifier, literal

from local.consumer import Read
from local.demo.stage import Stage
from local.demo.timeline import CURRENT, Labels

ITERATIONS = 4096


@dataclass(frozen=True)
class Login:
    """A user name and a password, as one version of a secret holds them."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Database:
    """Where it is, as a secret says it."""

    engine: str
    host: str
    port: int


@dataclass(frozen=True)
class Application:
    """A role on the server and the secret with its credential."""

    stage: Stage
    role: str
    secret_name: str
    secret_arn: str

    @property
    def function_arn(self) -> str:
        """The function that rotates it."""
        return self.stage.function_arn

    @classmethod
    def create(cls, stage: Stage, role: str, *, superuser_arn: str | None = None) -> Application:
        """A role that owns the schema of its name; with a superuser its users alternate."""
        password = secrets.token_urlsafe(24)
        # The verifier, not the password: this server logs every statement.
        stage.postgres.execute(
            f"CREATE ROLE {identifier(role)} LOGIN PASSWORD {literal(verifier(password))}",
            f"CREATE SCHEMA AUTHORIZATION {identifier(role)}",
        )
        name, keys = f"{role}/database", {"masterarn": superuser_arn} if superuser_arn else {}
        return cls(stage, role, name, store(stage, name, Login(role, password), keys=keys))

    def rotate(self) -> str:
        """RotateSecret, as a person or a pipeline calls it; the new version's id."""
        answer = self.stage.secrets_manager.rotate_secret(
            SecretId=self.secret_arn,
            RotationLambdaARN=self.function_arn,
            RotationRules={"AutomaticallyAfterDays": 30},
        )
        return str(answer["VersionId"])

    def login(self, label: str = CURRENT) -> Login:
        """What the version with this label holds."""
        answer = self.stage.secrets_manager.get_secret_value(
            SecretId=self.secret_arn, VersionStage=label
        )
        document = json.loads(answer["SecretString"])
        self.stage.passwords.add(document["password"])
        return Login(document["username"], document["password"])

    def read(self, how: Callable[[Any, str], Read]) -> Read:
        """How a consumer gets at the value: `cached` or `uncached`."""
        return how(self.stage.secrets_manager, self.secret_arn)

    def labels(self) -> Labels:
        """What DescribeSecret says."""
        answer = self.stage.secrets_manager.describe_secret(SecretId=self.secret_arn)
        return {
            label: version
            for version, labels in answer["VersionIdsToStages"].items()
            for label in labels
        }

    def run(self, login: Login, *statements: str) -> list[list[Any]]:
        """The rows of the last statement, over a fresh connection."""
        with self.stage.postgres.connect(login.username, login.password) as connection:
            return [connection.run(statement) or [] for statement in statements][-1]

    def refusal(self, login: Login) -> str | None:
        """The code with which the server refuses the login; None if it logs in."""
        try:
            self.run(login, "SELECT 1")
        except pg8000.native.DatabaseError as error:
            return f"SQLSTATE {error.args[0]['C']}"
        return None

    def refusal_of(self, username: str, password: str) -> str | None:
        """The same, as a consumer asks."""
        return self.refusal(Login(username, password))


def store(
    stage: Stage,
    name: str,
    login: Login,
    *,
    on: Database | None = None,
    keys: Mapping[str, str] = MappingProxyType({}),
    tags: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The ARN of a new secret, for PostgreSQL if no database is named, with these further keys."""
    stage.passwords.add(login.password)
    database = on or Database("postgres", stage.postgres.host, stage.postgres.port)
    document = {
        "engine": database.engine,
        "host": database.host,
        "port": database.port,
        "username": login.username,
        "password": login.password,
        **keys,
    }
    answer = stage.secrets_manager.create_secret(
        Name=name,
        SecretString=json.dumps(document),
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )
    return str(answer["ARN"])


def verifier(password: str) -> str:
    """What PostgreSQL stores in place of a password (catalogue pg_authid)."""
    mechanism = scramp.ScramMechanism("SCRAM-SHA-256")
    salt, stored, server, _ = mechanism.make_auth_info(password, iteration_count=ITERATIONS)
    salt, stored, server = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${ITERATIONS}:{salt}${stored}:{server}"


def verdict(refusal: str | None) -> str:
    return "logs in" if refusal is None else f"is refused ({refusal})"
