"""Applications with a user on MySQL or MariaDB, rotated through the deployed stack."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import pymysql

from rekey.model import Strategy
from tests.end_to_end.application import Document, Rotated


@dataclass
class MysqlApplication(Rotated):
    """A user on one of these servers and its secret; `engine` is what the secret says."""

    server: Any
    engine: str
    strategy: Strategy
    keys: Document = field(default_factory=dict)
    name: str = field(default_factory=lambda: f"app_{secrets.token_hex(4)}")

    def __post_init__(self) -> None:
        self.first_record = self.next_record()
        password, database = self.new_password(), f"{self.name}_data"
        self.server.execute(
            f"CREATE DATABASE {database}",
            f"CREATE USER {self.name}@'%' IDENTIFIED BY '{password}'",
            f"GRANT SELECT, INSERT ON {database}.* TO {self.name}@'%'",
        )
        document = self.document(self.name, password)
        if self.strategy is not Strategy.SINGLE_USER:
            superuser = self.document(self.server.superuser, self.server.password)
            self.superuser_arn = self.create("superuser", superuser, {"rekey:superuser": "true"})
            document["masterarn"] = self.superuser_arn
        self.arn = self.create("app", document, {"rekey:strategy": str(self.strategy)})

    @property
    def function_arn(self) -> str:
        return self.deployed.rotation_function_arn.replace("rotate-postgresql", "rotate-mysql")

    def document(self, username: str, password: str) -> Document:
        address = {"host": self.server.host, "port": self.server.port}
        login = {"username": username, "password": password}
        return {"engine": self.engine, **address, **login, **self.keys}

    def refusal(self, username: str, password: str) -> str | None:
        try:
            with self.server.connect(username, password) as connection:
                connection.ping(reconnect=False)
        except pymysql.err.OperationalError as error:
            return str(error.args[0])
        return None

    def retire(self) -> Document:
        """The workflow's step, as its state machine asks for it; the function's answer."""
        holders = {label: v for v, labels in self.labels().items() for label in labels}
        event = {"Step": "retire", "SecretId": self.arn, "VersionId": holders["AWSCURRENT"]}
        answer = self.deployed.account.client("lambda").invoke(
            FunctionName=self.function_arn, Payload=json.dumps(event)
        )
        result: Document = json.load(answer["Payload"])
        return result
