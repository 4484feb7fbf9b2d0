"""What the demo runs on: a PostgreSQL, the account, and the application deployed into it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.debian_packages import PackagesError
from local.deploy import STACK, deploy, publish_ca_layer
from local.mysql import Mysql
from local.postgres import Postgres
from local.processes import undisturbed
from local.running_account import RunningAccount

if TYPE_CHECKING:
    from local.demo.screen import Screen

Document = dict[str, Any]


@dataclass
class Stage:
    """Servers that run, and every password that the demo has set or read.

    Where MariaDB cannot be had, `mariadb_missing` says why.
    """

    postgres: Postgres
    account: RunningAccount
    outputs: dict[str, str]
    mariadb: Mysql | None = None
    mariadb_missing: str = ""
    passwords: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.passwords.add(self.postgres.password)
        if self.mariadb is not None:
            self.passwords.add(self.mariadb.password)

    @property
    def function_arn(self) -> str:
        return self.outputs["RotatePostgresqlFunctionArn"]

    @property
    def mysql_function_arn(self) -> str:
        return self.outputs["RotateMysqlFunctionArn"]

    @property
    def secrets_manager(self) -> Any:
        return self.account.client("secretsmanager")

    @property
    def address(self) -> str:
        return f"{self.postgres.host}:{self.postgres.port}"

    @property
    def mariadb_server(self) -> Mysql:
        if self.mariadb is None:
            raise RuntimeError(self.mariadb_missing)
        return self.mariadb

    def runs(self, workflow: str) -> list[Document]:
        """The runs of the workflow of this name, newest first, each with its input."""
        client = self.account.client("stepfunctions")
        machine = self.outputs[f"{workflow}StateMachineArn"]
        listed = client.list_executions(stateMachineArn=machine)["executions"]
        return [client.describe_execution(executionArn=run["executionArn"]) for run in listed]

    def histories(self) -> list[Document]:
        """All that Step Functions keeps of the runs of workflows."""
        client = self.account.client("stepfunctions")
        runs = [run for workflow in ("Retire", "Recover") for run in self.runs(workflow)]
        return [client.get_execution_history(executionArn=run["executionArn"]) for run in runs]

    @contextmanager
    def waiting(self, scale: float) -> Iterator[None]:
        """Let workflows wait so many seconds for each second."""
        before = self.account.control("waits")
        self.account.control("waits", {"scale": scale})
        try:
            yield
        finally:
            self.account.control("waits", before)

    def records(self, since: int = 0) -> list[Document]:
        """CloudTrail's records from this position on."""
        records: list[Document] = self.account.control(f"records?after={since}")["records"]
        return records

    def next_record(self) -> int:
        return int(self.account.control("records")["next"])

    def function_log(self, function_arn: str) -> list[str]:
        """Everything that this function has written."""
        group = f"/aws/lambda/{function_arn.rpartition(':')[2]}"
        pages = self.account.client("logs").get_paginator("filter_log_events")
        found = pages.paginate(logGroupName=group)
        return [event["message"] for page in found for event in page["events"]]

    def functions_log(self) -> list[str]:
        """Everything that the rotation functions have written."""
        arns = filter(None, (self.function_arn, self.mysql_function_arn))
        return [text for arn in arns for text in self.function_log(arn)]

    def steps_logged(self, function_arn: str, secret_arn: str) -> list[Document]:
        """The function's structured lines about this secret, one for each step."""
        log = self.function_log(function_arn)
        lines = (json.loads(text) for text in log if text.startswith("{"))
        return [line for line in lines if line.get("secret_arn") == secret_arn]

    def is_rotating(self) -> bool:
        return bool(self.account.control("rotation")["running"])

    @contextmanager
    def retries(self, attempts: int, delay: float) -> Iterator[None]:
        """How often, and after how many seconds, Secrets Manager repeats a failed rotation."""
        before = self.account.control("rotation")
        self.account.control("rotation", {"attempts": attempts, "delays": [delay]})
        try:
            yield
        finally:
            former = {name: before[name] for name in ("attempts", "delays")}
            self.account.control("rotation", former)

    @contextmanager
    def database_down(self) -> Iterator[None]:
        with undisturbed():
            self.postgres.stop()
        try:
            yield
        finally:
            with undisturbed():
                self.postgres.start()


@contextmanager
def set_up(screen: Screen) -> Iterator[Stage]:
    """Starts everything, a line each; all of it is gone when the block ends, however it ends."""
    started = ExitStack()
    try:
        yield _start(screen, started)
    finally:
        with undisturbed():
            started.close()


def _start(screen: Screen, started: ExitStack) -> Stage:
    with screen.starting("PostgreSQL") as line, undisturbed():
        postgres = started.enter_context(Postgres())
        version = postgres.execute("SHOW server_version")[0][0]
        line.what = f"PostgreSQL {version}, TLS, log_statement=all"
        line.where = f"{postgres.host}:{postgres.port}"
    mariadb, missing = _mariadb(screen, started, postgres)
    with screen.starting("AWS account") as line, undisturbed():
        account = started.enter_context(RunningAccount())
        number = account.client("sts").get_caller_identity()["Account"]
        line.what, line.where = f"AWS account {number}", account.endpoint
    with screen.starting("Lambda layer with that PostgreSQL's CA") as line:
        layer = publish_ca_layer(account.port, postgres.authority.pem)
        line.where = layer.partition(":layer:")[2]
    with screen.starting("sam build, sam deploy of template.yaml") as line:
        outputs = deploy(account.port, {"CaBundleLayerArn": layer})
        line.where = f"stack {STACK}"
    return Stage(postgres, account, outputs, mariadb, missing)


def _mariadb(screen: Screen, started: ExitStack, postgres: Postgres) -> tuple[Mysql | None, str]:
    """The server, or why there is none: the demo goes on without it."""
    try:
        found = Mysql("mariadb", authority=postgres.authority)
    except PackagesError as error:
        return None, f"no MariaDB ({error}); installing mariadb-server would help"
    with screen.starting("MariaDB") as line, undisturbed():
        server = started.enter_context(found)
        line.what = f"MariaDB {server.version}, TLS, general log and binary log"
        line.where = f"{server.host}:{server.port}"
    return server, ""
