"""Real parts that tests share, each started once a run: a database, an account, the application."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from local.certificates import Authority
from local.deploy import deploy, publish_ca_layer
from local.mysql import Mysql
from local.mysql_installations import NAMES, installation, skipped
from local.postgres import Postgres
from local.postgres_installations import debian
from local.running_account import RunningAccount


@dataclass(frozen=True)
class Deployed:
    """The stack's outputs, and the account that it was deployed into."""

    account: RunningAccount
    rotation_function_arn: str
    alerts_topic_arn: str
    authority: Authority


def pytest_configure() -> None:
    """A run that is told to stop ends its servers, as one that is interrupted does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_report_header() -> str:
    """Which servers the tests run on; fails if one is missing that must not be."""
    versions = ["17 (packaged)", *(f"{version} (Debian's)" for version in debian())]
    required = os.environ.get("REKEY_REQUIRED_POSTGRES", "")
    if required and int(required) not in debian():
        pytest.exit(f"PostgreSQL {required} is required and not installed", returncode=1)
    others = [f"{name} ({installation(name).program})" for name in NAMES if name not in skipped()]
    return f"PostgreSQL: {', '.join(versions)}; {', '.join(others)}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def mysql(postgres: Postgres) -> Iterator[Mysql]:
    with _mysql("mysql", postgres) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb(postgres: Postgres) -> Iterator[Mysql]:
    with _mysql("mariadb", postgres) as server:
        yield server


def _mysql(name: str, postgres: Postgres) -> Mysql:
    """With certificates of the authority that the deployed functions trust."""
    if name in skipped():
        pytest.skip(f"REKEY_SKIP names {name}")
    return Mysql(name, authority=postgres.authority)


@pytest.fixture(scope="session")
def account() -> Iterator[RunningAccount]:
    """The account in its ordinary state, but retries of a rotation follow at once."""
    with RunningAccount({"REKEY_ROTATION_DELAYS": "0.2"}) as running:
        yield running


@pytest.fixture(scope="session")
def deployed(account: RunningAccount, postgres: Postgres) -> Deployed:
    """The real template, whose functions trust the database's certificate authority."""
    layer = publish_ca_layer(account.port, postgres.authority.pem)
    outputs = deploy(account.port, {"CaBundleLayerArn": layer})
    return Deployed(
        account,
        outputs["RotatePostgresqlFunctionArn"],
        outputs["AlertsTopicArn"],
        postgres.authority,
    )
