"""A Distributed Map in JSONata: its fields are expressions, and its results go to S3.

MiniStack reads the fields as JSONPath, and knows no ResultWriter. Children do not see the
variables of their parent. Source: Step Functions Developer Guide, "Map state in Distributed mode".
"""

from __future__ import annotations

import copy
import json
import uuid
from http import HTTPStatus
from typing import Any

from ministack.services import s3, stepfunctions

from local.account.stepfunctions.integrations import check

State = dict[str, Any]

FILES = {"SUCCEEDED": ("SUCCEEDED",), "FAILED": ("FAILED", "TIMED_OUT", "ABORTED")}
EVALUATED = {"ItemReader", "ItemSelector", "Items", "MaxConcurrency", "ResultWriter"}
SHOWN = {
    "executionArn": "ExecutionArn",
    "input": "Input",
    "name": "Name",
    "output": "Output",
    "status": "Status",
    "error": "Error",
    "cause": "Cause",
}


def install() -> None:
    stock = stepfunctions._run_distributed_map

    def run(
        state: State, given: Any, effective: Any, iterator: State, execution: State, context: State
    ) -> Any:
        if stepfunctions._state_query_language(state, context) != "JSONata":
            return stock(state, given, effective, iterator, execution, context)
        _check_children(execution)
        plain = {key: value for key, value in state.items() if key not in EVALUATED}
        plain |= {"ItemsPath": "$", "MaxConcurrency": _concurrency(state, given, context)}
        items = _selected(state, _items(state, given, effective, context), given, context)
        without = {**context, "variables": {}}
        output, following = stock(plain, given, items, iterator, execution, without)
        result = _written(state, execution, given, context) if "ResultWriter" in state else output
        output = stepfunctions._apply_jsonata_output(
            state, given, context, result=result, default=result
        )
        stepfunctions._apply_state_assign(state, given, context, result=result)
        return output, following

    stepfunctions._run_distributed_map = run


def _check_children(execution: State) -> None:
    check("states:StartExecution", execution["stateMachineArn"], "States.Runtime")


def _concurrency(state: State, given: Any, context: State) -> int:
    return int(
        stepfunctions._apply_jsonata_template(state.get("MaxConcurrency", 0), given, context)
    )


def _items(state: State, given: Any, effective: Any, context: State) -> list[Any]:
    template = stepfunctions._apply_jsonata_template
    if "ItemReader" not in state:
        return list(template(state.get("Items", "{% $states.input %}"), given, context))
    reader = state["ItemReader"]
    place = template(reader["Arguments"], given, context)
    check("s3:GetObject", _object(place["Bucket"], place["Key"]), "States.ItemReaderFailed")
    resolved = {**reader, "Arguments": place}
    return list(stepfunctions._read_map_items(resolved, effective, context))


def _selected(state: State, items: list[Any], given: Any, context: State) -> list[Any]:
    if "ItemSelector" not in state:
        return items
    selected = []
    for index, item in enumerate(items):
        of_item = copy.copy(context) | {"Map": {"Item": {"Index": index, "Value": item}}}
        template = stepfunctions._apply_jsonata_template
        selected.append(template(state["ItemSelector"], given, of_item))
    return selected


def _written(state: State, execution: State, given: Any, context: State) -> State:
    """The children's ends, as files that a manifest lists."""
    place = stepfunctions._apply_jsonata_template(
        state["ResultWriter"]["Arguments"], given, context
    )
    runs = [
        run
        for run in stepfunctions._map_runs.values()
        if run["executionArn"] == execution["executionArn"]
        and f"/{state['Label']}:" in run["mapRunArn"]
    ]
    arn, bucket = runs[-1]["mapRunArn"], place["Bucket"]
    prefix = f"{place['Prefix']}/{uuid.uuid4()}"
    children = [c for c in stepfunctions._executions.values() if c.get("mapRunArn") == arn]
    files: dict[str, list[State]] = {"PENDING": []}
    for kind, statuses in FILES.items():
        ended = [_shown(child) for child in children if child["status"] in statuses]
        files[kind] = [_put(bucket, f"{prefix}/{kind}_0.json", ended)] if ended else []
    manifest = {"DestinationBucket": bucket, "MapRunArn": arn, "ResultFiles": files}
    _put(bucket, f"{prefix}/manifest.json", manifest)
    return {
        "MapRunArn": arn,
        "ResultWriterDetails": {"Bucket": bucket, "Key": f"{prefix}/manifest.json"},
    }


def _shown(child: State) -> State:
    return {name: child[key] for key, name in SHOWN.items() if child.get(key) is not None}


def _put(bucket: str, key: str, content: object) -> State:
    check("s3:PutObject", _object(bucket, key), "States.ResultWriterFailed")
    body = json.dumps(content).encode()
    status, _, answer = s3._put_object(bucket, key, body, {})
    if status != HTTPStatus.OK:
        raise stepfunctions._ExecutionError("States.ResultWriterFailed", str(answer))
    return {"Key": key, "Size": len(body)}


def _object(bucket: str, key: str) -> str:
    return f"arn:aws:s3:::{bucket}/{key}"
