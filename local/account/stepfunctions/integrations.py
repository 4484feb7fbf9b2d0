"""IAM for the optimized integrations: functions, messages, events, items, child executions.

CloudTrail counts all of these but child executions among the data events, and shows none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc, stepfunctions

from local.account.cloudtrail import denials
from local.account.stepfunctions.sessions import access_key_of, principal_of, running

Task = dict[str, Any]


def check(action: str, resource: str, error: str, keys: dict[str, str] | None = None) -> None:
    """Raises MiniStack's execution error named `error` if the role may not do this.

    `keys` are condition keys of the request, in lower case. Outside a task nothing is checked.
    """
    execution = running.get()
    if not execution:
        return
    key, service = access_key_of(execution), action.partition(":")[0]
    region = get_region()
    denied = iam_evaluator.enforce(key, action, service, region, resource, keys)
    if denied:
        explicit = getattr(denied, "decision", "") == "Deny"
        cause = denials.text(action, principal_of(key), resource, explicit=explicit)
        raise stepfunctions._ExecutionError(error, cause)


@dataclass(frozen=True)
class Integration:
    """What `arn:aws:states:::<name>` needs, and the error of a task that may not have it."""

    name: str
    action: str
    resource_of: Callable[[Task], str]
    error: str
    keys_of: Callable[[Task], dict[str, str]] = lambda _: {}


def _arn(service: str, resource: str) -> str:
    if resource.startswith("arn:"):
        return resource
    kind = {"dynamodb": "table/", "events": "event-bus/"}.get(service, "")
    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{kind}{resource}"


def _queue(task: Task) -> str:
    return _arn("sqs", str(task.get("QueueUrl", "")).rpartition("/")[2])


def _topic(task: Task) -> str:
    return str(task.get("TopicArn") or task.get("TargetArn") or "*")


def _table(task: Task) -> str:
    return _arn("dynamodb", str(task.get("TableName", "")))


def _source(task: Task) -> dict[str, str]:
    """Like _bus: all entries come from one source here."""
    entries = task.get("Entries") or [{}]
    return {"events:source": str(entries[0].get("Source", ""))}


def _bus(task: Task) -> str:
    """All entries of a task go to one bus here: the first entry's is checked."""
    entries = task.get("Entries") or [{}]
    return _arn("events", str(entries[0].get("EventBusName") or "default"))


_ITEMS = {
    "putItem": "dynamodb:PutItem",
    "getItem": "dynamodb:GetItem",
    "deleteItem": "dynamodb:DeleteItem",
    "updateItem": "dynamodb:UpdateItem",
}
INTEGRATIONS = (
    Integration("sqs:sendMessage", "sqs:SendMessage", _queue, "SQS.AmazonSQSException"),
    Integration("sns:publish", "sns:Publish", _topic, "SNS.SnsException"),
    Integration(
        "events:putEvents", "events:PutEvents", _bus, "EventBridge.EventBridgeException", _source
    ),
    *(
        Integration(f"dynamodb:{name}", action, _table, "DynamoDB.AmazonDynamoDBException")
        for name, action in _ITEMS.items()
    ),
)


def _install_checked(integration: Integration) -> None:
    prefix = f"arn:aws:states:::{integration.name}"
    stock = stepfunctions._SERVICE_DISPATCH[prefix]

    def checked(resource: str, task: Task) -> Any:
        resource_arn, keys = integration.resource_of(task), integration.keys_of(task)
        check(integration.action, resource_arn, integration.error, keys)
        return stock(resource, task)

    stepfunctions._SERVICE_DISPATCH[prefix] = checked


def _install_functions() -> None:
    stock = stepfunctions._call_lambda

    def call_lambda(function: str, event: Any) -> Any:
        _, config, _ = lambda_svc._get_func_record_for_ref(function)
        if config:
            arn = function if function.startswith("arn:") else config["FunctionArn"]
            check("lambda:InvokeFunction", arn, "Lambda.AWSLambdaException")
        return stock(function, event)

    stepfunctions._call_lambda = call_lambda


def _install_child_executions(entry: str) -> None:
    stock = getattr(stepfunctions, entry)

    def checked(resource: str, task: Task) -> Any:
        machine = str(task.get("StateMachineArn", "*"))
        check("states:StartExecution", machine, "StepFunctions.AWSStepFunctionsException")
        return stock(resource, task)

    setattr(stepfunctions, entry, checked)


def install() -> None:
    for integration in INTEGRATIONS:
        _install_checked(integration)
    _install_functions()
    _install_child_executions("_invoke_nested_start_execution")
    _install_child_executions("_invoke_nested_start_execution_sync")
