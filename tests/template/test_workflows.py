"""The workflows' definitions: what AWS checks only when they run, or never."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from local.toolchain import CHECKOUT
from rekey import errors
from rekey.campaign.settings import MOST_PER_HOST
from rekey.model import Workflow

Resources = Any
Definition = dict[str, Any]

FILES = sorted((CHECKOUT / "statemachines").glob("*.asl.json"))
ENDS = {"Succeed", "Fail"}
SERVICE_ERRORS = {
    # AWS Step Functions Developer Guide, "Handling errors", and "Invoke AWS Lambda".
    "States.ALL",
    "States.Timeout",
    "Lambda.AWSLambdaException",
    "Lambda.ResourceNotReadyException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    # Errors of other APIs; `<Service>.<Service>Exception` is whatever an API does not name itself,
    # denials among it. `<Service>.SdkClientException` is a call that came to no answer: seen on AWS
    # of both kinds of integrations, as SQS's in LocalStack's recordings and as `Ssm`.
    "DynamoDB.AmazonDynamoDBException",
    "DynamoDB.ConditionalCheckFailedException",
    "DynamoDB.InternalServerErrorException",
    "DynamoDB.ProvisionedThroughputExceededException",
    "DynamoDB.RequestLimitExceeded",
    "DynamoDB.SdkClientException",
    "DynamoDB.ThrottlingException",
    "EventBridge.EventBridgeException",
    "Lambda.LambdaException",
    "Lambda.ResourceNotFoundException",
    "SecretsManager.InternalServiceErrorException",
    "SecretsManager.InvalidParameterException",
    "SecretsManager.InvalidRequestException",
    "SecretsManager.ResourceNotFoundException",
    "SQS.AmazonSQSException",
    "SQS.SdkClientException",
    "SecretsManager.SdkClientException",
    "SecretsManager.SecretsManagerException",
    "StepFunctions.AWSStepFunctionsException",
    "StepFunctions.ExecutionLimitExceeded",
    "StepFunctions.ExecutionLimitExceededException",
    "StepFunctions.SdkClientException",
    # AWS Step Functions Developer Guide, "Map state in Distributed mode".
    "States.ItemReaderFailed",
    # What Lambda reports of a function that it stopped at its time limit, or whose process ended.
    "Sandbox.Timedout",
    "Runtime.ExitError",
}

PASSED = {
    *("secretId", "versionId", "functionArn", "waitSeconds", "staleSeconds"),
    *("outcome", "reason"),
    *("happened", "failedStep", "action", "advice", "afterwards"),
    *("currentVersionId", "pendingVersionId", "failedAt", "ours", "since"),
    *("currentLogin", "previousLogin", "again", "undone"),
    # Of a campaign: its settings, digests of servers, keys of documents, names of alarms, numbers.
    *("settings", "items", "results", "rolledBack", "maxConcurrency", "maxPerHost", "soakSeconds"),
    *("staleConsumers", "consumers"),
    *(
        "dryRun",
        "compromised",
        "stopAtFailure",
        "campaign",
        "refused",
        "stopped",
        "host",
        "versions",
    ),
    *(
        "strategy",
        "works",
        "unknown",
        "oldVersionId",
        "rollBack",
        "rollBackCount",
        "soak",
        "alarms",
        "stands",
    ),
    *("text", "summary", "counts", "secrets"),
}
"""What may come from the input or from a function: many people may read the history of a run."""


ANSWERS_WITH_NOTHING_ELSE = {
    "lambda:invoke",  # Of our own functions, which give ARNs, ids and sentences.
    *(f"dynamodb:{action}Item" for action in ("delete", "get", "put", "update")),
    *("s3:getObject", "s3:putObject", "sqs:sendMessage", "states:startExecution.sync:2"),
    *(f"aws-sdk:secretsmanager:{action}" for action in ("rotateSecret", "tagResource")),
}
"""Neither DescribeSecret nor ListTags: who may read the history of a run may not read all tags."""

PASSING = {
    "dynamodb:": {
        # Throttling of a table on demand is ThrottlingException. In AWS's SDK for Java, which Step
        # Functions uses, DynamoDB had no class of that name for long: it came as the general one.
        # AWS's own examples repeat after one or the other; which it is was not seen on AWS.
        "DynamoDB.AmazonDynamoDBException",
        "DynamoDB.InternalServerErrorException",
        "DynamoDB.ProvisionedThroughputExceededException",
        "DynamoDB.RequestLimitExceeded",
        "DynamoDB.SdkClientException",
        "DynamoDB.ThrottlingException",
        "States.Timeout",
    },
    "aws-sdk:secretsmanager:": {
        # Throttling has no name of its own in this API: it is the general one.
        "SecretsManager.InternalServiceErrorException",
        "SecretsManager.SdkClientException",
        "SecretsManager.SecretsManagerException",
        "States.Timeout",
    },
    # Both names are those that LocalStack's recordings of AWS have.
    "sqs:": {"SQS.AmazonSQSException", "SQS.SdkClientException", "States.Timeout"},
    "states:startExecution": {
        # Throttling, as in Secrets Manager.
        "StepFunctions.AWSStepFunctionsException",
        # The first stands in AWS's example of a nested execution. Names that were seen on AWS all
        # end in "Exception", even if the API's own does not (StateMachineDoesNotExist).
        "StepFunctions.ExecutionLimitExceeded",
        "StepFunctions.ExecutionLimitExceededException",
        "StepFunctions.SdkClientException",
        # Neither States.Timeout, which is the end of a recovery that takes too long, nor
        # ExecutionAlreadyExists, which says that it has ended.
    },
}
"""What a call is repeated after, and nothing else: a condition that does not hold is an answer."""

OF_FUNCTIONS = {
    "Lambda.AWSLambdaException",
    "Lambda.ResourceNotReadyException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Runtime.ExitError",
    "Sandbox.Timedout",
    "States.Timeout",
}
"""What every invocation is repeated after, besides errors of the function's own."""

WAKES = "Lambda.ResourceNotReadyException"

CAUSE = "$exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : 'No cause was given.'"
"""An error has a name, and need not have a cause (Step Functions API, TaskTimedOutEventDetails)."""

ASKED = '"input": "{% $states.context.Execution.Input %}"'
"""What a person wrote, which is checked before anything else."""


def definition(path: Any) -> Definition:
    content: Definition = json.loads(path.read_text())
    return content


def followers(state: Definition) -> Iterator[str]:
    if "Next" in state:
        yield state["Next"]
    if "Default" in state:
        yield state["Default"]
    for choice in state.get("Choices", []):
        yield choice["Next"]
    for catch in state.get("Catch", []):
        yield catch["Next"]


def reachable(machine: Definition) -> set[str]:
    found: set[str] = set()
    waiting = [machine["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += followers(machine["States"][name])
    return found


def tasks(machine: Definition) -> Iterator[Definition]:
    return (state for state in machine["States"].values() if state["Type"] == "Task")


def called(task: Definition) -> str:
    return str(task["Resource"]).rpartition(":states:::")[2]


def repeated_after(task: Definition) -> set[str]:
    return {error for retry in task["Retry"] for error in retry["ErrorEquals"]}


def named_errors(machine: Definition) -> Iterator[str]:
    for state in machine["States"].values():
        for handler in (*state.get("Retry", []), *state.get("Catch", [])):
            yield from handler["ErrorEquals"]


def children(machine: Definition) -> Iterator[Definition]:
    """The machines that run for each item of a map."""
    return (s["ItemProcessor"] for s in machine["States"].values() if s["Type"] == "Map")


WHOLE = {path.name: definition(path) for path in FILES}
PARTS = {
    f"{name}, {number}": child
    for name, whole in WHOLE.items()
    for number, child in enumerate(children(whole), 1)
}


@pytest.fixture(params=[*WHOLE, *PARTS])
def machine(request: pytest.FixtureRequest) -> Definition:
    return (WHOLE | PARTS)[request.param]


def test_there_is_a_definition_for_each_workflow() -> None:
    assert {path.name for path in FILES} == {f"{workflow}.asl.json" for workflow in Workflow}


def test_every_state_is_reached_and_every_target_exists(machine: Definition) -> None:
    assert reachable(machine) == set(machine["States"])


def test_every_path_ends_on_purpose(machine: Definition) -> None:
    for name, state in machine["States"].items():
        kind = state["Type"]
        assert ("Next" in state) is (kind not in {*ENDS, "Choice"}), name
        assert ("Default" in state) is (kind == "Choice"), name
        assert (kind in ENDS) is not any(followers(state)), name
        assert "End" not in state, name


def test_every_task_has_a_time_limit_and_deals_with_all_errors(machine: Definition) -> None:
    for task in tasks(machine):
        assert task["TimeoutSeconds"]
        assert task["Retry"]
        assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


@pytest.mark.parametrize("service", PASSING)
def test_every_call_of_a_service_is_repeated_after_the_same_errors(
    machine: Definition, service: str
) -> None:
    for task in tasks(machine):
        if called(task).startswith(service):
            assert repeated_after(task) == PASSING[service]


def test_every_invocation_is_repeated_after_the_same_errors(machine: Definition) -> None:
    for task in tasks(machine):
        if called(task) == "lambda:invoke":
            assert repeated_after(task) & SERVICE_ERRORS == OF_FUNCTIONS


def pauses(retry: Definition) -> float:
    """All pauses of a retrier that has no jitter, in seconds."""
    assert "JitterStrategy" not in retry
    tries = range(retry["MaxAttempts"])
    return sum(float(retry["IntervalSeconds"] * retry["BackoffRate"] ** n) for n in tries)


def test_a_function_that_has_slept_has_two_minutes_to_wake(machine: Definition) -> None:
    """By a retrier of its own, so that other errors keep their pauses.

    A function in a VPC that nobody has called for weeks loses its network interface: the call that
    wakes it fails, and so do those of the next minute or so (AWS Lambda Developer Guide, "Lambda
    function states"; API Reference, Invoke: ResourceNotReadyException). The name in Step Functions
    is that of AWS's examples for Step Functions Local; it was not seen on AWS.
    """
    for task in tasks(machine):
        if called(task) == "lambda:invoke":
            (waking,) = (retry for retry in task["Retry"] if WAKES in retry["ErrorEquals"])
            assert waking["ErrorEquals"] == [WAKES]
            assert pauses(waking) >= 120


def test_what_is_held_is_given_back_with_patience(machine: Definition) -> None:
    """A lock or a place that is left behind keeps others out for hours."""
    for task in tasks(machine):
        if called(task) == "dynamodb:deleteItem":
            assert sum(retry["MaxAttempts"] for retry in task["Retry"]) >= 8


def ends_after(machine: Definition, start: str) -> set[str]:
    """The types of the states in which a run may end that has come to this one."""
    found = reachable({**machine, "StartAt": start})
    return {machine["States"][name]["Type"] for name in found} & ENDS


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_caught_ends_in_a_visible_failure(name: str) -> None:
    """Errors that are expected by name may be an answer like any other."""
    machine = WHOLE[name]
    for task in tasks(machine):
        assert ends_after(machine, task["Catch"][-1]["Next"]) == {"Fail"}


@pytest.mark.parametrize("name", PARTS)
def test_a_child_of_a_map_always_tells_what_became_of_its_item(name: str) -> None:
    """The map goes on whatever happens to one: what is caught stands in the child's output."""
    child = PARTS[name]
    telling = {n for n, state in child["States"].items() if "became" in state.get("Output", {})}
    silent = {n: s for n, s in child["States"].items() if n not in telling}
    before = reachable({**child, "States": silent | {key: {"Type": "Pass"} for key in telling}})
    assert telling
    assert not {n for n in before & set(silent) if silent[n]["Type"] in ENDS}
    assert ends_after(child, child["StartAt"]) == {"Succeed"}


def test_an_error_without_a_cause_is_no_further_error(machine: Definition) -> None:
    assert "errorOutput.Cause" not in json.dumps(machine).replace(CAUSE, "")


def test_every_error_that_is_named_exists(machine: Definition) -> None:
    ours = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert set(named_errors(machine)) <= ours | SERVICE_ERRORS


def test_only_names_of_secrets_versions_and_functions_pass_through(machine: Definition) -> None:
    text = json.dumps(machine)
    read = set(re.findall(r"\$states\.(?:input|result\.Payload)\.(\w+)", text))
    assert read <= PASSED | {"error", "cause"}
    # A whole input or result would take along whatever else it holds.
    assert not re.search(r"\$states\.(?:input|result(?:\.Payload)?)(?![\w.])", text)
    assert "context.Execution.Input" not in text.replace(ASKED, "")


def test_no_service_is_asked_whose_whole_answer_may_not_stand_in_a_history(
    machine: Definition,
) -> None:
    """What a state picks out of an answer does not matter: the history has all of it."""
    asked = {called(task) for task in tasks(machine)}
    assert asked <= ANSWERS_WITH_NOTHING_ELSE


def test_a_recovery_refuses_a_version_without_a_name_before_anything_else() -> None:
    """It would be taken for AWSCURRENT, which a roll back rejects."""
    machine = WHOLE["recover.asl.json"]
    first = machine["States"][machine["StartAt"]]
    refused = {choice["Next"]: choice["Condition"] for choice in first["Choices"]}
    assert refused["EmptyVersionId"] == (
        "{% $exists($states.input.versionId) and $not($states.input.versionId) %}"
    )
    assert {machine["States"][name]["Type"] for name in refused} == {"Fail"}


def test_a_campaign_makes_its_tokens_from_the_run_the_secret_and_a_number() -> None:
    """rekey.campaign.tasks makes the same ones, to know them again."""
    (begin,) = (
        child["States"]["Begin"] for name, child in PARTS.items() if name == "rotate.asl.json, 1"
    )
    for name, number in (("token", 1), ("nextToken", 2)):
        assert begin["Assign"][name] == (
            "{% $hash($states.context.Execution.Id & '|' & $states.input.secretId & "
            f"'|{number}', 'SHA-256') %}}"
        )


EVENTS_OF_A_HISTORY = 25_000
"""Step Functions Developer Guide, "Quotas"; a run that comes so far is ended without a word."""

EVENTS = {"Task": 5, "Wait": 2, "Choice": 2, "Pass": 2, "Succeed": 2}
"""Entered and exited; a task is scheduled, started, and succeeds or fails as well."""

EVENTS_OF_A_REPEAT = 3
MOST_REPEATED = 2_000
"""Calls of a run that are repeated while it waits: more than it looks at slots."""


def events(states: Definition, *names: str, repeated: bool = False) -> int:
    """How many events the states make, once each; with all of their retries if these are asked."""
    tries = (retry["MaxAttempts"] for name in names for retry in states[name].get("Retry", []))
    once = sum(EVENTS[states[name]["Type"]] for name in names)
    return once + (sum(tries) * EVENTS_OF_A_REPEAT if repeated else 0)


def number_after(text: str, state: Definition) -> int:
    found = re.search(rf"{re.escape(text)}(\d+)", json.dumps(state))
    assert found is not None, text
    return int(found[1])


def test_a_child_that_waits_for_its_server_ends_before_its_history_is_full() -> None:
    states = PARTS["rotate.asl.json, 1"]["States"]
    turn = events(states, "IsStopped", "MayBegin", "WaitForSlot")
    slot = events(states, "TakeSlot", "NextSlot")
    most = number_after(f"$turns * ({turn} + {slot} * $maxPerHost) < ", states["NextSlot"])
    assert states["WaitForSlot"]["Assign"]["turns"] == "{% $turns + 1 %}"
    looks = ("WaitForEnd", "Follow", "HowItStands")
    # Two rotations where alternating users are compromised, each look repeated to the utmost.
    most_looks = 2 * number_after("$looks < ", states["HowItStands"])
    others = set(states) - {*looks, "IsStopped", "MayBegin", "WaitForSlot", "TakeSlot", "NextSlot"}
    rest = (
        most_looks * events(states, *looks, repeated=True)
        + 2 * events(states, *others, repeated=True)
        + MOST_REPEATED * EVENTS_OF_A_REPEAT
    )
    for max_per_host in range(1, MOST_PER_HOST + 1):
        each = turn + slot * max_per_host
        turns = 1 + -(-most // each)
        assert turns * each + rest < EVENTS_OF_A_HISTORY, max_per_host


def test_what_is_put_in_at_deployment_is_what_the_template_gives(template: Definition) -> None:
    machines = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
    ]
    assert len(machines) == len(FILES)
    for path in FILES:
        name = path.name.removesuffix(".asl.json")
        (given,) = [m for m in machines if name in json.dumps(m["StateMachineName"])]
        wanted = set(re.findall(r"\$\{(\w+)\}", path.read_text()))
        assert wanted == set(given["DefinitionSubstitutions"])
        assert given["LoggingConfiguration"]["IncludeExecutionData"] is False
        assert given["TracingConfiguration"] == {"Enabled": True}


def test_a_definition_with_a_loose_end_is_found() -> None:
    machine = {"StartAt": "A", "States": {"A": {"Type": "Wait"}, "B": {"Type": "Succeed"}}}
    assert reachable(machine) != set(machine["States"])
