"""A consumer goes on using the old version: people hear of it, and its password stays."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from rekey.aws.access_state import AccessState
from rekey.aws.crowds import CrowdItems
from rekey.known import Item, reader_key, rotation_key
from rekey.model import Strategy, Workflow
from tests.conftest import Deployed
from tests.end_to_end.application import Document, wait_for
from tests.end_to_end.mysql_application import MysqlApplication
from tests.inbox import Inbox
from tests.workflows.runs import shortened, states

ANYBODY = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
MAY_READ = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}


@pytest.fixture(autouse=True)
def _shortened(deployed: Deployed) -> Iterator[None]:
    """Ten minutes take half a second."""
    with shortened(deployed, 1 / 1300):
        yield


@pytest.fixture
def app(deployed: Deployed, mariadb: Any) -> MysqlApplication:
    """Held, so that the run that the promotion starts does nothing."""
    app = MysqlApplication(deployed, mariadb, "mariadb", Strategy.DUAL_PASSWORD)
    hold = [{"Key": "rekey:hold", "Value": "true"}]
    app.client.tag_resource(SecretId=app.arn, Tags=hold)
    return app


@pytest.fixture
def state(deployed: Deployed) -> AccessState:
    dynamodb = deployed.account.client("dynamodb")
    (table,) = [name for name in dynamodb.list_tables()["TableNames"] if "StateTable" in name]
    return AccessState(dynamodb, table)


def consumer(deployed: Deployed) -> tuple[str, Any]:
    """The ARN of a role that may read secrets, and Secrets Manager as a session of it."""
    account, name = deployed.account, f"consumer-{secrets.token_hex(4)}"
    iam = account.client("iam")
    trust, may = (
        json.dumps({"Version": "2012-10-17", "Statement": [one]}) for one in (ANYBODY, MAY_READ)
    )
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=may)
    given = account.client("sts").assume_role(RoleArn=role, RoleSessionName="app")["Credentials"]
    keys = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    session = boto3.Session(*keys, "us-east-1")
    return role, session.client("secretsmanager", endpoint_url=account.endpoint)


def follow(deployed: Deployed, state: AccessState, arn: str, version: str) -> None:
    """What the schedule does, two hours after the rotation."""
    key = rotation_key(arn, version)
    held = state.load([key], latest=True).get(key) or Item(key)
    at = int(time.time()) - 7200
    assert state.save(replace(held, minima={"at": at}, maxima={}, expires=at + 86_400))
    answer = deployed.account.client("lambda").invoke(
        FunctionName="rekey-judge-consumers", Payload=json.dumps({"task": "follow"})
    )
    assert "FunctionError" not in answer, answer["Payload"].read()


def retire(app: MysqlApplication, version: str, stale_seconds: int) -> str:
    client = app.deployed.account.client("stepfunctions")
    asked = {
        "secretId": app.arn,
        "versionId": version,
        "functionArn": app.function_arn,
        "waitSeconds": 1,
        "staleSeconds": stale_seconds,
    }
    machine = app.deployed.state_machine_arn(Workflow.RETIRE)
    answer = client.start_execution(stateMachineArn=machine, input=json.dumps(asked))
    return str(answer["executionArn"])


def end(app: MysqlApplication, run: str) -> str:
    """The state in which the run has ended."""
    client = app.deployed.account.client("stepfunctions")

    def ended() -> bool:
        return bool(client.describe_execution(executionArn=run)["status"] != "RUNNING")

    wait_for(ended, "the end of the run")
    return states(app, {"executionArn": run})[-1]


def next_second() -> None:
    """Records tell whole seconds."""
    second = int(time.time())
    wait_for(lambda: int(time.time()) > second, "another second")


def logs_in(app: MysqlApplication, value: Document) -> bool:
    return app.refusal(value["username"], value["password"]) is None


@dataclass
class Stale:
    """A consumer that was given the old version after a rotation, as the table knows it."""

    role: str
    reader: Any
    current: str
    old: Document


def stale(app: MysqlApplication, state: AccessState) -> Stale:
    """Rotate, and let a consumer read what was AWSCURRENT before."""
    role, reader = consumer(app.deployed)
    old = app.value("AWSCURRENT")
    app.rotate_and_wait()
    holders = {label: version for version, labels in app.labels().items() for label in labels}
    current, previous = holders["AWSCURRENT"], holders["AWSPREVIOUS"]
    item = reader_key(app.arn, role)

    def known() -> bool:
        held = state.load([item], latest=True).get(item, Item(item))
        return f"o:{previous}" in held.maxima

    wait_for(lambda: state.load([rotation_key(app.arn, current)]), "the rotation to be known")
    next_second()
    reader.get_secret_value(SecretId=app.arn, VersionStage="AWSPREVIOUS")
    wait_for(known, "the read to be known")
    return Stale(role, reader, current, old)


def told_of_today(deployed: Deployed, kind: str) -> int:
    """How many are counted, so that very many would be told together."""
    day = datetime.fromtimestamp(time.time(), UTC).date()
    crowds = CrowdItems(deployed.account.client("dynamodb"), deployed.state_table)
    return sum(crowd.count for crowd in crowds.on(day) if crowd.of.kind == kind)


def heard(app: MysqlApplication) -> Inbox:
    """What people are told of the secret's consumers."""
    about = json.dumps({"kind": ["not-renewed", "old-password-kept"], "secret": [app.arn]})
    inbox = Inbox.make(app.deployed.account)
    return inbox.subscribe(app.deployed.alerts_topic_arn, FilterPolicy=about)


def test_nobody_is_told_that_a_password_works_which_somebody_has_retired_meanwhile(
    app: MysqlApplication, state: AccessState
) -> None:
    inbox, found = heard(app), stale(app, state)
    app.client.untag_resource(SecretId=app.arn, TagKeys=["rekey:hold"])
    assert app.retire()["outcome"] == "retired"
    run = retire(app, found.current, 0)
    assert end(app, run) == "Retired"
    assert "AskWhatWorks" in states(app, {"executionArn": run})
    # Whatever was told before comes before this.
    follow(app.deployed, state, app.arn, found.current)
    assert [json.loads(told["Message"])["kind"] for told in inbox.first(1)] == ["not-renewed"]


def test_a_consumer_that_uses_the_old_version_is_told_of_and_keeps_it_until_it_has_renewed(
    deployed: Deployed, app: MysqlApplication, state: AccessState
) -> None:
    inbox, found = heard(app), stale(app, state)
    role, reader, current, old = found.role, found.reader, found.current, found.old
    follow(deployed, state, app.arn, current)
    (told,) = inbox.first(1)
    told = json.loads(told["Message"])
    assert (told["kind"], told["severity"]) == ("not-renewed", "medium")
    assert next(row for row in told["table"]["rows"] if row[0] == f'"{role}"')[1] == "stale"
    assert told_of_today(deployed, "not-renewed") >= 1

    assert end(app, retire(app, current, 0)) == "Kept"
    kept = json.loads(inbox.first(2)[1]["Message"])
    assert (kept["kind"], kept["status"]) == ("old-password-kept", "updated")
    assert role in json.dumps(kept["table"])

    app.client.untag_resource(SecretId=app.arn, TagKeys=["rekey:hold"])
    run = retire(app, current, 86_400)
    wait_for(lambda: "WaitForRenewal" in states(app, {"executionArn": run}), "the run to wait")
    assert logs_in(app, old)
    next_second()
    reader.get_secret_value(SecretId=app.arn)
    assert end(app, run) == "Retired"
    assert not logs_in(app, old)
    assert logs_in(app, app.value("AWSCURRENT"))
    follow(deployed, state, app.arn, current)
    assert json.loads(inbox.first(3)[2]["Message"])["status"] == "solved"
