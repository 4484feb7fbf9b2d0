"""Metrics of functions: Lambda's own for every way of invoking, and those in the function's log."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Account, code_of, until

LAMBDA = "AWS/Lambda"


def total(
    account: Account, metric: str, dimensions: dict[str, str], namespace: str = LAMBDA
) -> float | None:
    """The sum over the hour around now, None without any datum."""
    now = time.time()
    found = account.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=datetime.fromtimestamp(now - 1800, UTC),
        EndTime=datetime.fromtimestamp(now + 1800, UTC),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(datum["Sum"] for datum in found) if found else None


def of(function: str) -> dict[str, str]:
    return {"FunctionName": function.rpartition(":")[2]}


def test_every_invocation_counts_once_whatever_its_way(account: Account) -> None:
    function = account.function("def handler(event, context): return 1")
    account.invoke(function)
    account.client("lambda").invoke(FunctionName=function, InvocationType="Event")
    task = {"Type": "Task", "Resource": function, "End": True}
    machine = account.client("stepfunctions").create_state_machine(
        name=of(function)["FunctionName"],
        definition=json.dumps({"StartAt": "Call", "States": {"Call": task}}),
        roleArn=account.role(
            "states.amazonaws.com",
            {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function},
        ),
    )["stateMachineArn"]
    account.client("stepfunctions").start_execution(stateMachineArn=machine)
    until(lambda: total(account, "Invocations", of(function)) == 3)
    assert total(account, "Errors", of(function)) == 0
    assert total(account, "Throttles", of(function)) == 0
    assert (total(account, "Duration", of(function)) or 0) > 0


def test_a_rotation_step_that_fails_is_an_error(account: Account, secrets: Any, name: str) -> None:
    function = account.function("def handler(event, context): raise ValueError('no')")
    account.control("rotation", {"attempts": 1, "delays": [0]})
    secrets.create_secret(Name=name, SecretString="value")
    secrets.rotate_secret(SecretId=name, RotationLambdaARN=function)
    until(lambda: total(account, "Errors", of(function)) == 1)
    assert total(account, "Invocations", of(function)) == 1


def test_a_throttled_request_is_no_invocation(account: Account) -> None:
    function = account.function("def handler(event, context): return 1")
    client = account.client("lambda")
    client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as refused:
        client.invoke(FunctionName=function)
    assert code_of(refused) == "TooManyRequestsException"
    attempts = 1 + refused.value.response["ResponseMetadata"]["RetryAttempts"]
    assert total(account, "Throttles", of(function)) == attempts
    assert total(account, "Invocations", of(function)) is None


def test_what_a_function_logs_in_the_embedded_format_becomes_metrics(
    account: Account, name: str
) -> None:
    function = account.function("""
        import json, time
        def handler(event, context):
            print(json.dumps({
                "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [{
                    "Namespace": event["namespace"],
                    "Dimensions": [["engine"], ["engine", "outcome"]],
                    "Metrics": [{"Name": "Rotations", "Unit": "Count"}, {"Name": "Times"}],
                }]},
                "engine": "postgres", "outcome": "succeeded", "Rotations": 2, "Times": [3, 4.5],
            }))
    """)
    account.invoke(function, {"namespace": name})
    engine = {"engine": "postgres"}
    assert total(account, "Rotations", engine, name) == 2
    assert total(account, "Rotations", {**engine, "outcome": "succeeded"}, name) == 2
    assert total(account, "Times", engine, name) == 7.5


def test_a_line_that_only_looks_like_the_embedded_format_harms_nothing(account: Account) -> None:
    function = account.function("""
        def handler(event, context):
            for line in ('{"_aws": 1}', '{"_aws"', '{"_aws": {"CloudWatchMetrics": [{}]}}'):
                print(line)
            return "done"
    """)
    assert account.invoke(function) == ("done", None)
