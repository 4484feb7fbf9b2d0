"""What the measurements run on: a PostgreSQL, an account, and the application deployed into it."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from local.deploy import deploy, publish_ca_layer
from local.postgres import Postgres
from local.running_account import RunningAccount
from local.toolchain import CHECKOUT

PATIENCE = 300.0
T = TypeVar("T")


class BenchError(Exception):
    """Something did not do what is measured; the message says what."""


@dataclass(frozen=True)
class Stage:
    """Servers that run, and the rotation function that was deployed; `built` as sam built it."""

    account: RunningAccount
    postgres: Postgres
    function_arn: str
    recover_arn: str
    rules: Sequence[Mapping[str, str]]
    built: Path

    @property
    def secrets_manager(self) -> Any:
        return self.account.client("secretsmanager")

    @property
    def functions(self) -> Any:
        return self.account.client("lambda")

    def next_record(self) -> int:
        return int(self.account.control("records")["next"])

    def records(self, since: int) -> list[dict[str, Any]]:
        """CloudTrail's records from this position on."""
        records: list[dict[str, Any]] = self.account.control(f"records?after={since}")["records"]
        return records

    def is_rotating(self) -> bool:
        return bool(self.account.control("rotation")["running"])

    @contextmanager
    def listening(self) -> Iterator[None]:
        """The stack hears of what happens, and acts: not while rotations are measured."""
        events = self.account.client("events")
        for rule in self.rules:
            events.put_rule(**rule)
        try:
            yield
        finally:
            _disable(events, self.rules)

    def store(self, name: str, document: dict[str, Any], tags: dict[str, str]) -> str:
        """The ARN of a new secret on the stage's server."""
        server = {"engine": "postgres", "host": self.postgres.host, "port": self.postgres.port}
        answer = self.secrets_manager.create_secret(
            Name=name,
            SecretString=json.dumps(server | document),
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
        return str(answer["ARN"])

    def set_environment(self, function_arn: str, **variables: str) -> None:
        """Adds to a function's environment, which also makes its next start a cold one."""
        answer = self.functions.get_function_configuration(FunctionName=function_arn)
        present = answer.get("Environment", {}).get("Variables", {})
        self.functions.update_function_configuration(
            FunctionName=function_arn, Environment={"Variables": present | variables}
        )


@contextmanager
def set_up() -> Iterator[Stage]:
    """Starts and deploys everything; it is gone when the block ends."""
    # One attempt: a rotation that failed would otherwise show as a slow one.
    settings = {"REKEY_ROTATION_ATTEMPTS": "1"}
    with (
        Postgres() as postgres,
        RunningAccount(settings) as account,
        tempfile.TemporaryDirectory(prefix="rekey-bench-") as folder,
    ):
        layer = publish_ca_layer(account.port, postgres.authority.pem)
        outputs = deploy(account.port, {"CaBundleLayerArn": layer})
        # A copy: the next build, of whoever deploys meanwhile, removes them.
        built = shutil.copytree(CHECKOUT / ".aws-sam" / "build", Path(folder) / "build")
        function, recover = (
            outputs[name] for name in ("RotatePostgresqlFunctionArn", "RecoverStateMachineArn")
        )
        events = account.client("events")
        rules = _rules(events)
        _disable(events, rules)
        yield Stage(account, postgres, function, recover, rules, built)


def _rules(events: Any) -> list[Mapping[str, str]]:
    """Those of the stack that hear of events, as PutRule takes them."""
    return [
        {key: rule[key] for key in ("Name", "EventPattern", "State")}
        for rule in events.list_rules(NamePrefix="rekey-")["Rules"]
        if "EventPattern" in rule
    ]


def _disable(events: Any, rules: Sequence[Mapping[str, str]]) -> None:
    for rule in rules:
        events.disable_rule(Name=rule["Name"])


def wait_for(condition: Callable[[], T | None], what: str, interval: float = 0.02) -> T:
    """What ``condition`` finds, as soon as it finds something."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        found = condition()
        if found is not None:
            return found
        time.sleep(interval)
    raise BenchError(f"waited {PATIENCE:.0f} s for {what}")
