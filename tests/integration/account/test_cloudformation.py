"""A rotation schedule in a template does what the same call does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Account, until


def template(name: str, function: str, **properties: Any) -> str:
    return json.dumps(
        {
            "Resources": {
                "Secret": {
                    "Type": "AWS::SecretsManager::Secret",
                    "Properties": {"Name": name, "SecretString": "first"},
                },
                "Schedule": {
                    "Type": "AWS::SecretsManager::RotationSchedule",
                    "Properties": {
                        "SecretId": {"Ref": "Secret"},
                        "RotationLambdaARN": function,
                        **properties,
                    },
                },
            }
        }
    )


def deployed(account: Account, stack: str, body: str, operation: str = "create") -> str:
    """The status in which the stack comes to rest."""
    cloudformation = account.client("cloudformation")
    getattr(cloudformation, f"{operation}_stack")(StackName=stack, TemplateBody=body)

    def status() -> str:
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        text = str(described["StackStatus"])
        return "" if text.endswith("IN_PROGRESS") else text

    return str(until(status))


@pytest.fixture
def stack(name: str) -> str:
    return name.replace("/", "-")


def test_a_schedule_is_created_changed_and_taken_away_with_its_stack(
    account: Account, secrets: Any, name: str, stack: str
) -> None:
    function = account.function("def handler(event, context): pass")
    body = template(
        name,
        function,
        RotationRules={"ScheduleExpression": "rate(10 days)", "Duration": "2h"},
        RotateImmediatelyOnUpdate=False,
    )
    assert deployed(account, stack, body) == "CREATE_COMPLETE"
    described = secrets.describe_secret(SecretId=name)
    assert described["RotationEnabled"] is True
    assert described["RotationLambdaARN"] == function
    assert described["RotationRules"]["ScheduleExpression"] == "rate(10 days)"
    until(lambda: len(secrets.describe_secret(SecretId=name)["VersionIdsToStages"]) == 1)

    body = template(
        name,
        function,
        RotationRules={"AutomaticallyAfterDays": "7"},
        RotateImmediatelyOnUpdate=False,
    )
    assert deployed(account, stack, body, "update") == "UPDATE_COMPLETE"
    rules = secrets.describe_secret(SecretId=name)["RotationRules"]
    assert rules == {"AutomaticallyAfterDays": 7}


def test_rotation_starts_at_once_unless_the_template_says_otherwise(
    account: Account, secrets: Any, name: str, stack: str
) -> None:
    account.control("rotation", {"attempts": 1, "delays": [0]})
    function = account.function("def handler(event, context): pass")
    body = template(name, function, RotationRules={"AutomaticallyAfterDays": 7})
    assert deployed(account, stack, body) == "CREATE_COMPLETE"
    stages = secrets.describe_secret(SecretId=name)["VersionIdsToStages"].values()
    assert ["AWSPENDING"] in stages


def test_a_function_that_does_not_allow_it_fails_the_stack(
    account: Account, name: str, stack: str
) -> None:
    function = account.function("def handler(event, context): pass", invoked_by=None)
    body = template(name, function, RotationRules={"AutomaticallyAfterDays": 7})
    assert deployed(account, stack, body) in ("ROLLBACK_COMPLETE", "CREATE_FAILED")
    events = account.client("cloudformation").describe_stack_events(StackName=stack)
    reasons = [event.get("ResourceStatusReason", "") for event in events["StackEvents"]]
    assert any("cannot invoke the specified Lambda function" in reason for reason in reasons)
