"""Which events of CloudTrail reach which rules."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Account, until

WITH_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"

Received = Callable[[], list[dict[str, Any]]]


def inbox(account: Account) -> tuple[str, Received]:
    """A queue's ARN, and all events that it has got so far."""
    sqs = account.client("sqs")
    got: list[dict[str, Any]] = []
    url = sqs.create_queue(QueueName=f"inbox-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])

    def received() -> list[dict[str, Any]]:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        got.extend(json.loads(message["Body"]) for message in answer.get("Messages", []))
        return got

    return attributes["Attributes"]["QueueArn"], received


def rule(account: Account, state: str, pattern: dict[str, Any]) -> Received:
    """What a new rule in that state sends to its queue."""
    events, name = account.client("events"), f"rule-{uuid.uuid4().hex[:8]}"
    queue, received = inbox(account)
    events.put_rule(Name=name, EventPattern=json.dumps(pattern), State=state)
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue}])
    return received


def about(secret_name: str) -> dict[str, Any]:
    return {"detail": {"requestParameters": {"secretId": [secret_name]}}}


def names(received: Received) -> list[str]:
    return [event["detail"]["eventName"] for event in received()]


@pytest.fixture
def secret(secrets: Any, name: str) -> str:
    secrets.create_secret(Name=name, SecretString="value")
    return name


def test_reads_reach_only_rules_in_the_state_that_takes_them(
    account: Account, secrets: Any, secret: str
) -> None:
    plain = rule(account, "ENABLED", about(secret))
    with_reads = rule(account, WITH_READS, about(secret))
    disabled = rule(account, "DISABLED", about(secret))
    secrets.get_secret_value(SecretId=secret)
    secrets.describe_secret(SecretId=secret)
    secrets.list_secret_version_ids(SecretId=secret)
    secrets.tag_resource(SecretId=secret, Tags=[{"Key": "last", "Value": "call"}])
    until(lambda: "TagResource" in names(with_reads) and "TagResource" in names(plain))
    reads = {"GetSecretValue", "DescribeSecret", "ListSecretVersionIds"}
    assert set(names(with_reads)) == {*reads, "TagResource"}
    assert names(plain) == ["TagResource"]
    assert disabled() == []


def test_reads_whose_name_begins_otherwise_reach_every_rule(
    account: Account, secrets: Any, secret: str
) -> None:
    version = secrets.get_secret_value(SecretId=secret)["VersionId"]
    context = {"SecretVersionId": [version]}
    plain = rule(
        account, "ENABLED", {"detail": {"requestParameters": {"encryptionContext": context}}}
    )
    secrets.get_secret_value(SecretId=secret)
    (event,) = until(plain)
    assert (event["source"], event["detail"]["eventName"]) == ("aws.kms", "Decrypt")


def test_a_denial_arrives_as_an_api_call_of_the_service(account: Account, secret: str) -> None:
    pattern = {"source": ["aws.secretsmanager"], "detail": {"errorCode": ["AccessDenied"]}}
    received = rule(account, WITH_READS, pattern)
    client = account.client("secretsmanager", account.user())
    with pytest.raises(client.exceptions.ClientError):
        client.get_secret_value(SecretId=secret)
    (event,) = until(received)
    assert event["detail-type"] == "AWS API Call via CloudTrail"
    assert event["account"] == event["detail"]["recipientAccountId"]
    assert event["time"] == event["detail"]["eventTime"]
    assert event["region"] == event["detail"]["awsRegion"]
    assert event["resources"] == []


@pytest.mark.parametrize("state", ["ENABLED", WITH_READS])
def test_every_other_event_reaches_both_states(
    account: Account, secrets: Any, secret: str, state: str
) -> None:
    labels = rule(account, state, {"detail": {"name": [secret], "labelUpdated": ["AWSCURRENT"]}})
    own = rule(account, state, {"source": [secret]})
    deleted = rule(account, state, {"detail-type": ["AWS Service Event via CloudTrail"]})
    secrets.put_secret_value(SecretId=secret, SecretString="next")
    account.client("events").put_events(
        Entries=[{"Source": secret, "DetailType": "own", "Detail": '{"eventName": "GetNothing"}'}]
    )
    arn = secrets.delete_secret(SecretId=secret)["ARN"]
    assert until(labels)[0]["detail-type"] == "Secret Label Updated"
    assert until(own)[0]["detail-type"] == "own"
    (event,) = until(
        lambda: [
            event
            for event in deleted()
            if event["detail"]["additionalEventData"] == {"SecretId": arn}
        ]
    )
    assert event["source"] == "aws.secretsmanager"
    assert event["detail"]["eventName"] == "StartSecretVersionDelete"


def test_cloudformation_makes_rules_that_take_reads(
    account: Account, secrets: Any, secret: str
) -> None:
    cloudformation, stack = account.client("cloudformation"), f"rules-{uuid.uuid4().hex[:8]}"
    queue, received = inbox(account)
    properties = {
        "State": WITH_READS,
        "EventPattern": {"source": ["aws.secretsmanager"], **about(secret)},
        "Targets": [{"Id": "queue", "Arn": queue}],
    }
    template = {"Resources": {"Rule": {"Type": "AWS::Events::Rule", "Properties": properties}}}
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1}
    )
    secrets.get_secret_value(SecretId=secret)
    (event,) = until(received)
    assert event["detail"]["eventName"] == "GetSecretValue"
