"""Somebody reads a secret for the first time: the deployed stack tells people, and why."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.running_account import RunningAccount
from local.toolchain import CHECKOUT
from rekey.access.network import network
from rekey.aws.access_state import AccessState
from rekey.known import DAY, Item, profile_key, reader_key, secret_key
from tests.access.records import record
from tests.conftest import Deployed
from tests.end_to_end.application import wait_for

ANYBODY = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
FROM_SNS = {
    "Effect": "Allow",
    "Principal": {"Service": "sns.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": "*",
}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@dataclass
class Subscriber:
    """Somebody who gets the alerts, and what he has got so far."""

    sqs: Any
    url: str
    messages: list[dict[str, Any]] = field(default_factory=list)

    def about(self, *texts: str) -> dict[str, Any] | None:
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            self.messages.append(json.loads(message["Body"]))
        found = (one for one in self.messages if all(text in json.dumps(one) for text in texts))
        return next(found, None)


@pytest.fixture
def subscriber(deployed: Deployed) -> Iterator[Subscriber]:
    sqs, sns = deployed.account.client("sqs"), deployed.account.client("sns")
    queue = sqs.create_queue(
        QueueName=f"readers-{secrets.token_hex(4)}", Attributes={"Policy": policy(FROM_SNS)}
    )["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    topic = deployed.outputs["AlertsTopicArn"]
    subscription = sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"], ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    yield Subscriber(sqs, queue)
    sns.unsubscribe(SubscriptionArn=subscription)


@pytest.fixture
def settled(deployed: Deployed) -> str:
    """A secret that one role has been reading for three weeks."""
    name = f"prod/{secrets.token_hex(4)}"
    arn = str(
        deployed.account.client("secretsmanager").create_secret(Name=name, SecretString="x")["ARN"]
    )
    dynamodb = deployed.account.client("dynamodb")
    (table,) = [name for name in dynamodb.list_tables()["TableNames"] if "StateTable" in name]
    first = int(time.time()) - 21 * DAY
    state = AccessState(dynamodb, table)
    for key in (secret_key(arn), reader_key(arn, "arn:aws:iam::000000000000:role/app")):
        assert state.save(Item(key, {"first": first}, expires=int(time.time()) + DAY))
    return arn


def forget_network(account: RunningAccount) -> None:
    """Whoever read in an earlier test did so from this machine as well."""
    dynamodb = account.client("dynamodb")
    (table,) = [name for name in dynamodb.list_tables()["TableNames"] if "StateTable" in name]
    pk, sk = profile_key(network("127.0.0.1").key)
    dynamodb.delete_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}})


@dataclass
class Stranger:
    """A session of a new role."""

    account: RunningAccount
    role: str
    key: str
    secret_key: str
    token: str

    @property
    def name(self) -> str:
        return self.role.rpartition("/")[2]

    @property
    def boto3(self) -> Any:
        """Secrets Manager, as it."""
        session = boto3.Session(self.key, self.secret_key, self.token, "us-east-1")
        return session.client("secretsmanager", endpoint_url=self.account.endpoint)

    def cli(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The AWS CLI, as it: as `aws secretsmanager ...`."""
        given = {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_SESSION_TOKEN": self.token,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.account.endpoint,
        }
        command = [str(CHECKOUT / ".venv" / "cli" / "bin" / "aws"), "secretsmanager", *words]
        return subprocess.run(command, env=given, capture_output=True, text=True, check=False)


def stranger(account: RunningAccount, *statements: dict[str, Any]) -> Stranger:
    iam, name = account.client("iam"), f"stranger-{secrets.token_hex(4)}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(ANYBODY))["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*statements))
    given = account.client("sts").assume_role(RoleArn=role, RoleSessionName="laptop")["Credentials"]
    keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    return Stranger(account, role, *keys)


ALLOWED = {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}
BY_HAND = "Read with a tool that this principal never used"


def test_a_role_that_reads_a_settled_secret_for_the_first_time_is_told(
    deployed: Deployed, subscriber: Subscriber, settled: str
) -> None:
    forget_network(deployed.account)
    reader = stranger(deployed.account, ALLOWED)
    reader.boto3.get_secret_value(SecretId=settled)
    # The read and its companion come in any order: once both have, everything has been told.
    network = "Read from a network that this principal never used"
    text = json.dumps(wait_for(lambda: subscriber.about(reader.name, network), "an alert"))
    assert "A role that is hours old reads a secret" in text
    assert "role/app" in text
    assert '"severity": {"Type": "String", "Value": "medium"}' in text
    assert BY_HAND not in text


def test_a_role_that_reads_it_by_the_command_line_is_told_with_the_hand_behind_it(
    deployed: Deployed, subscriber: Subscriber, settled: str
) -> None:
    reader = stranger(deployed.account, ALLOWED)
    name = settled.partition(":secret:")[2].rpartition("-")[0]
    done = reader.cli("get-secret-value", "--secret-id", name, "--query", "SecretString")
    assert (done.stdout.strip(), done.returncode) == ('"x"', 0), done.stderr
    text = json.dumps(wait_for(lambda: subscriber.about(reader.name, BY_HAND), "an alert"))
    assert "aws-cli" in text
    assert "A role that is hours old reads a secret" in text
    assert settled in text


def test_a_denial_by_the_command_line_is_told_too(
    deployed: Deployed, subscriber: Subscriber, settled: str
) -> None:
    reader = stranger(deployed.account)
    done = reader.cli("get-secret-value", "--secret-id", settled)
    assert "AccessDenied" in done.stderr
    found = wait_for(lambda: subscriber.about(reader.name), "an alert")
    assert "Denied on secrets that it does not read" in json.dumps(found)


def test_a_denial_is_told_though_the_record_names_the_secret_in_its_text_alone(
    deployed: Deployed, subscriber: Subscriber, settled: str
) -> None:
    reader = stranger(deployed.account)
    with pytest.raises(ClientError):
        reader.boto3.get_secret_value(SecretId=settled.partition(":secret:")[2].rpartition("-")[0])
    found = wait_for(lambda: subscriber.about(reader.name), "an alert")
    assert "Denied on secrets that it does not read" in json.dumps(found)
    assert found["MessageAttributes"]["secret"]["Value"] == settled


def test_a_decoy_that_a_batch_reads_by_a_filter_is_told_although_no_call_names_it(
    deployed: Deployed, subscriber: Subscriber
) -> None:
    manager, key = deployed.account.client("secretsmanager"), f"bait-{secrets.token_hex(4)}"
    tags = [{"Key": "rekey:decoy", "Value": "true"}, {"Key": key, "Value": "x"}]
    arn = manager.create_secret(Name=f"admin/{key}", SecretString="x", Tags=tags)["ARN"]
    filters = [{"Key": "tag-key", "Values": [key]}]
    read = stranger(deployed.account, ALLOWED).boto3.batch_get_secret_value(Filters=filters)
    assert [one["ARN"] for one in read["SecretValues"]] == [arn]
    found = wait_for(lambda: subscriber.about(arn, "A decoy was touched"), "an alert")
    assert found["MessageAttributes"]["severity"]["Value"] == "critical"


def test_a_decoy_is_told_at_once_and_as_critical(
    deployed: Deployed, subscriber: Subscriber
) -> None:
    manager = deployed.account.client("secretsmanager")
    tags = [{"Key": "rekey:decoy", "Value": "true"}]
    arn = manager.create_secret(Name=f"admin/{secrets.token_hex(4)}", SecretString="x", Tags=tags)[
        "ARN"
    ]
    with pytest.raises(ClientError):
        stranger(deployed.account).boto3.describe_secret(SecretId=arn)
    found = wait_for(lambda: subscriber.about(arn), "an alert")
    assert found["MessageAttributes"]["severity"]["Value"] == "critical"


def days_ago(days: int, secret: str, role: str) -> dict[str, Any]:
    """A read as EventBridge delivers it, from a network that nobody uses."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * DAY))
    who = record(requestParameters={"secretId": secret}, eventTime=at, eventID=str(uuid.uuid4()))
    session = {"arn": role, "type": "Role", "accountId": "000000000000"}
    identity = {"type": "AssumedRole", "sessionContext": {"sessionIssuer": session}}
    where = {"awsRegion": "us-east-1", "sourceIPAddress": "203.0.113.77"}
    account = {"recipientAccountId": "000000000000"}
    return {"detail": {**who, **where, **account, "userIdentity": identity}}


def archived(deployed: Deployed, incident: str) -> dict[str, Any] | None:
    """The one finding of an incident, once it is archived."""
    pages = deployed.account.client("securityhub").get_findings()["Findings"]
    (found,) = [one for one in pages if one["Id"].endswith(f"/rekey/{incident}")]
    return found if found["RecordState"] == "ARCHIVED" else None


def test_an_incident_that_went_quiet_is_closed_by_one_message_in_its_thread(
    deployed: Deployed, subscriber: Subscriber, settled: str
) -> None:
    name = f"visitor-{secrets.token_hex(4)}"
    role = f"arn:aws:iam::000000000000:role/{name}"
    sqs, functions = (deployed.account.client(service) for service in ("sqs", "lambda"))
    url = sqs.get_queue_url(QueueName="rekey-access")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(days_ago(3, settled, role)))
    told = wait_for(lambda: subscriber.about(name, '\\"open\\"'), "an alert")
    assert told["MessageAttributes"]["severity"]["Value"] == "medium"
    answer = functions.invoke(FunctionName="rekey-sweep-secrets", Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read()
    over = wait_for(lambda: subscriber.about(name, '\\"solved\\"'), "its end")
    first, last = (json.loads(message["Message"]) for message in (told, over))
    assert last["incident"] == first["incident"]
    assert last["done"] == ["Closed: nothing unusual for 48 hours."]
    assert '"as:64500 (203.0.113.77)"' in [reason["observed"] for reason in first["reasons"]]
    found = wait_for(lambda: archived(deployed, first["incident"]), "Security Hub to hear of it")
    assert {(one["Type"], one["Id"]) for one in found["Resources"]} == {
        ("AwsIamRole", role),
        ("AwsSecretsManagerSecret", settled),
    }
