"""Real parts that tests share, each started once a run: a database, an account, the application."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import pymysql
import pytest
from hypothesis import settings

from local.certificates import Authority
from local.debian_packages import PackagesError
from local.deploy import deploy, publish_ca_layer, publish_layer
from local.mysql import Mysql
from local.mysql_address import AddressError, MysqlAddress, at_address
from local.mysql_installations import NAMES, installation, skipped, what_to_do
from local.postgres import Postgres
from local.postgres_installations import debian
from local.running_account import RunningAccount
from rekey.model import Workflow

pytest_plugins = ["tests.workers"]
# How long an example takes says how busy the machine is.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
TOLD = "told"
"""The name under which a test records a line for people."""


@dataclass(frozen=True)
class Deployed:
    """The stack's outputs, and the account that it was deployed into."""

    account: RunningAccount
    outputs: dict[str, str]
    authority: Authority

    @property
    def rotation_function_arn(self) -> str:
        """The ARN of PostgreSQL's."""
        return self.outputs["RotatePostgresqlFunctionArn"]

    @property
    def alerts_topic_arn(self) -> str:
        """The ARN of the topic."""
        return self.outputs["AlertsTopicArn"]

    @property
    def state_table(self) -> str:
        """The name of the table."""
        found = self.account.client("cloudformation").describe_stack_resource(
            StackName="rekey", LogicalResourceId="StateTable"
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def state_machine_arn(self, workflow: Workflow) -> str:
        """The ARN of the deployed workflow."""
        return self.outputs[f"{workflow.title()}StateMachineArn"]


@dataclass(frozen=True)
class Told:
    """Writes what a test records as TOLD when the test ends, whichever process ran it."""

    reporter: pytest.TerminalReporter

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, text in report.user_properties if report.when == "call" else ():
            if name == TOLD:
                self.reporter.ensure_newline()
                self.reporter.write_line(f"  {text}")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Only the process that people see has a reporter."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        config.pluginmanager.register(Told(reporter))


def pytest_report_header() -> str:
    """Which servers the tests run on; fails if one is missing that must not be."""
    versions = ["17 (packaged)", *(f"{version} (Debian's)" for version in debian())]
    required = os.environ.get("REKEY_REQUIRED_POSTGRES", "")
    if required and int(required) not in debian():
        pytest.exit(f"PostgreSQL {required} is required and not installed", returncode=1)
    others = [f"{name} ({_where(name)})" for name in NAMES if name not in skipped()]
    return f"PostgreSQL: {', '.join(versions)}; {', '.join(others)}"


def _where(name: str) -> str:
    """Where the server of this name comes from; ends the run if it cannot be had."""
    try:
        found = at_address(name)
        return f"{found.version} at {found.host}:{found.port}" if found else _program(name)
    except (AddressError, OSError, pymysql.Error) as error:
        pytest.exit(f"{name}: {error}", returncode=1)
    except PackagesError as error:
        pytest.exit(what_to_do(name, error), returncode=1)


def _program(name: str) -> str:
    return str(installation(name).program)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def mysql(postgres: Postgres) -> Iterator[MysqlAddress]:
    with _mysql("mysql", postgres) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb(postgres: Postgres) -> Iterator[MysqlAddress]:
    with _mysql("mariadb", postgres) as server:
        yield server


def _mysql(name: str, postgres: Postgres) -> AbstractContextManager[MysqlAddress]:
    """With certificates of the authority that the deployed functions trust."""
    if name in skipped():
        pytest.skip(f"REKEY_SKIP names {name}")
    found = at_address(name)
    return nullcontext(found) if found else Mysql(name, authority=postgres.authority)


@pytest.fixture(scope="session")
def account() -> Iterator[RunningAccount]:
    """The account in its ordinary state, but retries of a rotation follow at once."""
    with RunningAccount({"REKEY_ROTATION_DELAYS": "0.2"}) as running:
        yield running


@pytest.fixture(scope="session")
def deployed(account: RunningAccount, postgres: Postgres) -> Deployed:
    """The real template, whose functions trust the databases' certificate authorities."""
    others = (found.ca_file.read_text() for found in map(at_address, NAMES) if found)
    layer = publish_ca_layer(account.port, "\n".join((postgres.authority.pem, *others)))
    account.client("securityhub").enable_security_hub()
    systems = publish_layer(account.port, "systems", {"asn/table.csv": "203.0.113.0/24,64500\n"})
    layers = {"CaBundleLayerArn": layer, "AsnTableLayerArn": systems}
    outputs = deploy(account.port, {**layers, "SecurityHub": "true"})
    return Deployed(account, outputs, postgres.authority)


@contextmanager
def deaf(deployed: Deployed, *but: str) -> Iterator[None]:
    """No rule of the stack hears of anything: no recovery, no alert, and no work for them.

    ``but``: names of rules that do, without the stack's.
    """
    events, hear = deployed.account.client("events"), {f"rekey-{name}" for name in but}
    every = [r for r in events.list_rules(NamePrefix="rekey-")["Rules"] if "EventPattern" in r]
    rules = [rule for rule in every if rule["Name"] not in hear]
    for rule in rules:
        events.disable_rule(Name=rule["Name"])
    try:
        yield
    finally:
        for rule in rules:
            kept = {key: rule[key] for key in ("Name", "EventPattern", "State")}
            events.put_rule(**kept)
