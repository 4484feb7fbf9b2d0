"""The commands of the AWS CLI that documents and reports print, carried out by boto3."""

import json
import re
import shlex
from typing import Any

from botocore import xform_name
from botocore.model import ListShape, OperationModel, Shape, StructureShape

from local.running_account import RunningAccount


def run_command(account: RunningAccount, command: str) -> Any:
    """Carry out `aws <service> <operation> --option value ...`; the answer."""
    program, service, operation, *words = shlex.split(command)
    assert program == "aws"
    if "--query" in words:  # The last option, which only selects what the CLI prints.
        words = words[: words.index("--query")]
    client = account.client(service)
    method = operation.replace("-", "_")
    (model,) = [
        client.meta.service_model.operation_model(name)
        for name in client.meta.service_model.operation_names
        if xform_name(name) == method
    ]
    return getattr(client, method)(**_parameters(model, words))


def _parameters(model: OperationModel, words: list[str]) -> dict[str, Any]:
    assert model.input_shape
    members = {xform_name(name, "-"): name for name in model.input_shape.members}
    given: dict[str, Any] = {}
    while words:
        option = words.pop(0).removeprefix("--")
        name = members[option.removeprefix("no-")]
        shape = model.input_shape.members[name]
        if shape.type_name == "boolean":
            given[name] = not option.startswith("no-")
        else:
            given[name] = _value(shape, words.pop(0))
    return given


def _value(shape: Shape, text: str) -> Any:
    """JSON, or the CLI's shorthand: Key=a,Value=b for a structure, and for a list of one."""
    if text.startswith("{") and shape.type_name == "map":
        return json.loads(text)
    if isinstance(shape, ListShape):
        return [_value(shape.member, text)]
    if isinstance(shape, StructureShape):
        pairs = (pair.split("=", 1) for pair in re.split(r",(?=\w+=)", text))
        return {name: _value(shape.members[name], item) for name, item in pairs}
    return int(text) if shape.type_name in ("integer", "long") else text
