"""AWS::SecretsManager::RotationSchedule, which MiniStack does not have."""

from __future__ import annotations

import json
import uuid
from http import HTTPStatus
from typing import Any

from ministack.services.cloudformation import provisioners

from local.account.secretsmanager import api

TYPE = "AWS::SecretsManager::RotationSchedule"
Properties = dict[str, Any]


class ScheduleRefusedError(Exception):
    """Secrets Manager refuses the schedule; the stack fails with this text."""


def _create(logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:  # noqa: ARG001  # CloudFormation passes the stack's name
    """The physical id is the secret's ARN, as `Ref` returns it."""
    if "HostedRotationLambda" in properties:
        raise ScheduleRefusedError(f"{logical_id}: HostedRotationLambda is not known here")
    request = {
        "SecretId": properties["SecretId"],
        "ClientRequestToken": str(uuid.uuid4()),
        "RotateImmediately": str(properties.get("RotateImmediatelyOnUpdate", True)).lower()
        != "false",
        "RotationRules": _rules(properties.get("RotationRules") or {}),
    }
    if properties.get("RotationLambdaARN"):
        request["RotationLambdaARN"] = properties["RotationLambdaARN"]
    answer = _performed("RotateSecret", request)
    return str(answer["ARN"]), {"Id": answer["ARN"]}


def _update(
    physical_id: str, old: Properties, new: Properties, stack: str  # noqa: ARG001  # CloudFormation passes what was before
) -> tuple[str, Properties]:  # fmt: skip
    return _create(physical_id, new, stack)


def _delete(physical_id: str, properties: Properties) -> None:  # noqa: ARG001  # CloudFormation passes them
    """A secret that is gone already has no schedule either."""
    api.perform("CancelRotateSecret", {"SecretId": physical_id})


def _rules(given: Properties) -> Properties:
    """CloudFormation may pass numbers as text."""
    rules = dict(given)
    if "AutomaticallyAfterDays" in rules:
        rules["AutomaticallyAfterDays"] = int(rules["AutomaticallyAfterDays"])
    return rules


def _performed(action: str, request: Properties) -> Properties:
    status, _, body = api.perform(action, request)
    content: Properties = json.loads(body)
    if status >= HTTPStatus.BAD_REQUEST:
        raise ScheduleRefusedError(content.get("Message") or content.get("message"))
    return content


def install() -> None:
    provisioners._RESOURCE_HANDLERS[TYPE] = {
        "create": _create,
        "update": _update,
        "delete": _delete,
    }
