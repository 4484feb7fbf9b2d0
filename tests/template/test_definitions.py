"""That the checks of the workflows' definitions find what is wrong, and that roles fit them."""

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rekey.recovery.rules import ALERT_ONLY
from tests.template import test_workflows as checks
from tests.template.test_workflows import PARTS, WHOLE, Definition, children, tasks

Resources = Callable[..., dict[str, dict[str, Any]]]
RECOVER, ROTATE = "recover.asl.json", "rotate.asl.json"
CHILD = next(name for name in PARTS if name.startswith(ROTATE))


def first_task(machine: Definition) -> Definition:
    return next(tasks(machine))


def without(key: str) -> Callable[[Definition], object]:
    return lambda machine: first_task(machine).pop(key)


def lead_nowhere(machine: Definition) -> None:
    first_task(machine)["Next"] = "Nowhere"


def strand_a_state(machine: Definition) -> None:
    machine["States"]["Stranded"] = {"Type": "Succeed"}


def stop_by_the_way(machine: Definition) -> None:
    first_task(machine).pop("Next")


def catch_only_some(machine: Definition) -> None:
    first_task(machine)["Catch"][-1]["ErrorEquals"] = ["States.Timeout"]


def name_an_error_that_nobody_raises(machine: Definition) -> None:
    first_task(machine)["Retry"][0]["ErrorEquals"].append("RotationExploded")


def rely_on_a_cause(machine: Definition) -> None:
    first_task(machine)["Catch"][-1]["Output"] = {"cause": "{% $states.errorOutput.Cause %}"}


def pass_a_value_on(machine: Definition) -> None:
    first_task(machine)["Output"] = {"value": "{% $states.result.SecretString %}"}
    machine["States"]["Leak"] = {"Output": "{% $states.input.SecretString %}"}


def pass_all_on(machine: Definition) -> None:
    first_task(machine)["Output"] = "{% $states.result %}"


BREAKS: list[tuple[Callable[[Definition], object], Callable[[Definition], None]]] = [
    (lead_nowhere, checks.test_every_state_is_reached_and_every_target_exists),
    (strand_a_state, checks.test_every_state_is_reached_and_every_target_exists),
    (stop_by_the_way, checks.test_every_path_ends_on_purpose),
    (without("TimeoutSeconds"), checks.test_every_task_has_a_time_limit_and_deals_with_all_errors),
    (without("Retry"), checks.test_every_task_has_a_time_limit_and_deals_with_all_errors),
    (without("Catch"), checks.test_every_task_has_a_time_limit_and_deals_with_all_errors),
    (catch_only_some, checks.test_every_task_has_a_time_limit_and_deals_with_all_errors),
    (name_an_error_that_nobody_raises, checks.test_every_error_that_is_named_exists),
    (rely_on_a_cause, checks.test_an_error_without_a_cause_is_no_further_error),
    (pass_a_value_on, checks.test_only_names_of_secrets_versions_and_functions_pass_through),
    (pass_all_on, checks.test_only_names_of_secrets_versions_and_functions_pass_through),
]


@pytest.mark.parametrize("name", [*WHOLE, CHILD])
@pytest.mark.parametrize(("spoil", "check"), BREAKS)
def test_a_definition_that_is_spoilt_is_found(
    name: str, spoil: Callable[[Definition], object], check: Callable[[Definition], None]
) -> None:
    machine = copy.deepcopy((WHOLE | PARTS)[name])
    check(machine)
    spoil(machine)
    with pytest.raises((AssertionError, KeyError)):
        check(machine)


def test_a_failure_that_ends_well_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = copy.deepcopy(WHOLE[RECOVER])
    first_task(machine)["Catch"][-1]["Next"] = "Recovered"
    monkeypatch.setitem(WHOLE, RECOVER, machine)
    with pytest.raises(AssertionError):
        checks.test_what_is_caught_ends_in_a_visible_failure(RECOVER)


def test_a_failure_that_is_only_told_needs_no_lock() -> None:
    choices = WHOLE[RECOVER]["States"]["WhatIsAsked"]["Choices"]
    named = [set(re.findall(r"'(.+?)'", choice["Condition"])) for choice in choices]
    assert choices[named.index(set(ALERT_ONLY))]["Next"] == "Diagnose"


def ends_with_the_lock(machine: Definition) -> set[str]:
    """Where a run may end, or begin to wait for another rotation, that has not given it back."""
    given = {
        n for n, s in machine["States"].items() if s.get("Resource", "").endswith("deleteItem")
    }
    kept = {n: s for n, s in machine["States"].items() if n not in given}
    done = {name: {"Type": "Pass"} for name in given}
    found = checks.reachable({"StartAt": machine["States"]["Lock"]["Next"], "States": kept | done})
    return {n for n in found if kept.get(n, {}).get("Type") in checks.ENDS or n == "RotateAgain"}


def test_a_recovery_gives_its_lock_back_however_it_ends() -> None:
    assert ends_with_the_lock(WHOLE[RECOVER]) == set()
    spoilt = copy.deepcopy(WHOLE[RECOVER])
    spoilt["States"]["NoteFailure"]["Next"] = "TellFailure"
    assert ends_with_the_lock(spoilt) == {"Failed", "NotTold"}


def test_a_child_that_says_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    child = copy.deepcopy(PARTS[CHILD])
    first_task(child)["Catch"][-1]["Next"] = "Told"
    monkeypatch.setitem(PARTS, CHILD, child)
    with pytest.raises(AssertionError):
        checks.test_a_child_of_a_map_always_tells_what_became_of_its_item(CHILD)


CALLS = {
    "lambda:invoke": ["lambda:InvokeFunction"],
    "states:startExecution.sync:2": [
        # AWS Step Functions Developer Guide, "Start workflow executions", IAM policies.
        *("states:StartExecution", "states:DescribeExecution", "states:StopExecution"),
        *("events:DescribeRule", "events:PutRule", "events:PutTargets"),
    ],
}
OF_MAPS = {"states:StartExecution", "states:DescribeExecution", "states:StopExecution"}
OF_RESULTS = {
    # Many go in parts: AWS CDK grants these four to every machine with a ResultWriter.
    *("s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"),
}
OF_EVERY_MACHINE = ("kms:", "logs:", "xray:")


def actions(machine: Definition) -> Iterator[str]:
    """What the states of a machine, and of those that run for each item of its maps, call."""
    for task in tasks(machine):
        call = task["Resource"].partition(":states:::")[2].removeprefix("aws-sdk:")
        service, operation = call.split(":")[:2]
        usual = [f"{service}:{operation[0].upper()}{operation[1:]}"]
        yield from CALLS.get(call, usual)
    for state in machine["States"].values():
        if state["Type"] == "Map":
            yield from OF_MAPS
            _, _, operation = state["ItemReader"]["Resource"].rpartition(":")
            yield f"s3:{operation[0].upper()}{operation[1:]}"
            if "ResultWriter" in state:
                yield from OF_RESULTS
    for child in children(machine):
        yield from actions(child)


@pytest.mark.parametrize("name", WHOLE)
def test_a_machines_role_may_do_what_its_states_call_and_nothing_else(
    resources: Resources, name: str
) -> None:
    kind = name.partition(".")[0].title()
    (policy,) = resources()[f"{kind}Role"]["Properties"]["Policies"]
    allowed = {
        action
        for statement in policy["PolicyDocument"]["Statement"]
        for action in statement["Action"]
        if not action.startswith(OF_EVERY_MACHINE)
    }
    assert allowed == set(actions(WHOLE[name]))
