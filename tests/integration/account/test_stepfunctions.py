"""A state machine's tasks act as its role: IAM checks them, and CloudTrail shows them."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from .conftest import Account, until
from .trail import Trail

READ = "arn:aws:states:::aws-sdk:secretsmanager:getSecretValue"
SERVICE = "states.amazonaws.com"


def task(resource: str, **arguments: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, "Parameters": arguments, "End": True}


def machine(account: Account, state: dict[str, Any], *statements: dict[str, Any]) -> str:
    """The ARN of a state machine with one state, whose role may do what is stated."""
    made = account.client("stepfunctions").create_state_machine(
        name=f"machine-{uuid.uuid4().hex[:8]}",
        definition=json.dumps({"StartAt": "Only", "States": {"Only": state}}),
        roleArn=account.role(SERVICE, *statements),
    )
    return str(made["stateMachineArn"])


def run(account: Account, state: dict[str, Any], *statements: dict[str, Any]) -> dict[str, Any]:
    """The ended execution of such a state machine."""
    client = account.client("stepfunctions")
    started = client.start_execution(stateMachineArn=machine(account, state, *statements))

    def ended() -> dict[str, Any] | None:
        execution: dict[str, Any] = client.describe_execution(executionArn=started["executionArn"])
        return execution if execution["status"] != "RUNNING" else None

    execution: dict[str, Any] = until(ended)
    return execution


def allow(action: str, resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


@pytest.fixture
def secret(secrets: Any, name: str) -> str:
    return str(secrets.create_secret(Name=name, SecretString="value")["ARN"])


def test_a_task_may_do_what_the_role_may(account: Account, secret: str) -> None:
    trail = Trail.from_now(account)
    rights = allow("secretsmanager:GetSecretValue", secret)
    execution = run(account, task(READ, SecretId=secret), rights)
    record = trail.one("GetSecretValue", secret)
    identity = record["userIdentity"]
    assert json.loads(execution["output"])["SecretString"] == "value"
    assert record["requestParameters"] == {"secretId": secret}
    assert record["sourceIPAddress"] == record["userAgent"] == SERVICE
    assert (identity["type"], identity["invokedBy"]) == ("AssumedRole", SERVICE)
    assert identity["sessionContext"]["sessionIssuer"]["userName"].startswith("role-")
    assert trail.one("Decrypt", secret)["userIdentity"]["arn"] == identity["arn"]


def test_a_task_that_the_role_may_not_do_fails(account: Account, secret: str) -> None:
    trail = Trail.from_now(account)
    execution = run(account, task(READ, SecretId=secret))
    record = trail.one("GetSecretValue", secret)
    assert execution["status"] == "FAILED"
    assert execution["error"] == "SecretsManager.SecretsManagerException"
    assert f"secretsmanager:GetSecretValue on resource: {secret}" in execution["cause"]
    assert (record["errorCode"], record["requestParameters"]) == ("AccessDenied", None)
    assert record["errorMessage"] == execution["cause"]


def test_a_service_that_answers_in_xml_is_checked_too(account: Account) -> None:
    state = task("arn:aws:states:::aws-sdk:cloudwatch:describeAlarms")
    refused = run(account, state)
    assert refused["error"] == "CloudWatch.CloudWatchException"
    assert "cloudwatch:DescribeAlarms" in refused["cause"]
    assert run(account, state, allow("cloudwatch:DescribeAlarms"))["status"] == "SUCCEEDED"


def test_the_tags_of_a_function_are_listed_for_a_role_that_may(account: Account) -> None:
    function = "arn:aws:lambda:us-east-1:000000000000:function:nobody-s"
    state = task("arn:aws:states:::aws-sdk:lambda:listTags", Resource=function)
    assert run(account, state)["error"] == "Lambda.LambdaException"
    allowed = run(account, state, allow("lambda:ListTags"))
    assert allowed["error"] == "Lambda.ResourceNotFoundException"


def test_errors_of_the_service_keep_their_name(account: Account, name: str) -> None:
    execution = run(account, task(READ, SecretId=name), allow("secretsmanager:*"))
    assert execution["error"] == "SecretsManager.ResourceNotFoundException"


def test_the_items_of_a_distributed_map_act_as_the_same_role(account: Account, secret: str) -> None:
    trail = Trail.from_now(account)
    state = {
        "Type": "Map",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Read",
            "States": {"Read": task(READ, **{"SecretId.$": "$"})},
        },
        "ItemsPath": "$.secrets",
        "End": True,
    }
    client = account.client("stepfunctions")
    arn = machine(account, state, allow("secretsmanager:GetSecretValue", secret))
    client.start_execution(stateMachineArn=arn, input=json.dumps({"secrets": [secret, "other"]}))
    until(lambda: len(trail.records("GetSecretValue", text=SERVICE)) == 2)
    records = trail.records("GetSecretValue", text=SERVICE)
    roles = {record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] for record in records}
    assert {record.get("errorCode") for record in records} == {None, "AccessDenied"}
    assert roles == {client.describe_state_machine(stateMachineArn=arn)["roleArn"]}


def test_optimized_integrations_are_checked_as_well(account: Account) -> None:
    function = account.function("def handler(event, context): return 'done'")
    queue = account.client("sqs").create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    topic = account.client("sns").create_topic(Name=f"topic-{uuid.uuid4().hex[:8]}")["TopicArn"]
    child = machine(account, {"Type": "Succeed"})
    event = {"Source": "own", "DetailType": "any", "Detail": {}}
    for action, error, state in [
        (
            "lambda:InvokeFunction",
            "Lambda.AWSLambdaException",
            task("arn:aws:states:::lambda:invoke", FunctionName=function),
        ),
        (
            "sqs:SendMessage",
            "SQS.AmazonSQSException",
            task("arn:aws:states:::sqs:sendMessage", QueueUrl=queue, MessageBody="text"),
        ),
        (
            "sns:Publish",
            "SNS.SnsException",
            task("arn:aws:states:::sns:publish", TopicArn=topic, Message="text"),
        ),
        (
            "events:PutEvents",
            "EventBridge.EventBridgeException",
            task("arn:aws:states:::events:putEvents", Entries=[event]),
        ),
        (
            "states:StartExecution",
            "StepFunctions.AWSStepFunctionsException",
            task("arn:aws:states:::states:startExecution", StateMachineArn=child),
        ),
    ]:
        refused = run(account, state)
        assert refused.get("error") == error, action
        assert f"not authorized to perform: {action}" in refused["cause"]
        assert run(account, state, allow(action))["status"] == "SUCCEEDED", action
