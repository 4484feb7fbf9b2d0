"""Lengths, patterns and required members of a request, from botocore's copy of the service model.

The service's own texts are used where they are known from recordings; the rest follows the
general form of AWS's validation messages.
"""

from __future__ import annotations

import base64
import re
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, Shape, StructureShape

from local.account.secretsmanager.errors import (
    ParameterError,
    RequestError,
    ServiceError,
    ValidationError,
)

_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]+")
_NAME_TEXT = (
    "Invalid name. Must be a valid name containing alphanumeric characters, "
    "or any of the following: -/_+=.@!"
)
_TOKEN_TEXT = "You must provide a ClientRequestToken value. We recommend a UUID-type value."  # noqa: S105  # a message of the service, no secret


def check(action: str, request: dict[str, Any]) -> None:
    """Raises ValidationError, ParameterError or RequestError for what the service refuses."""
    if action not in _model().operation_names:
        return
    shape = _model().operation_model(action).input_shape
    for member in shape.required_members:
        if request.get(member) is None:
            raise ParameterError(f"You must provide a value for the {member} parameter.")
    for member, value in request.items():
        if member in shape.members and value is not None:
            _check_value(member, shape.members[member], value)
    _check_names(request)
    _check_token(action, shape, request)


@cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model("secretsmanager")


def _check_names(request: dict[str, Any]) -> None:
    for member in ("Name", "SecretId"):
        named = request.get(member)
        if named and not named.startswith("arn:") and not _NAME.fullmatch(named):
            raise ValidationError(_NAME_TEXT)


def _check_token(action: str, shape: StructureShape, request: dict[str, Any]) -> None:
    """SDKs always send a token; recorded: what the service says to whoever does not."""
    if "ClientRequestToken" in shape.members and not request.get("ClientRequestToken"):
        raise (ParameterError if action == "RotateSecret" else RequestError)(_TOKEN_TEXT)


def _check_value(member: str, shape: Shape, value: Any) -> None:
    _check_size(member, shape, value)
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        raise ValidationError(
            f"1 validation error detected: Value at '{_wire(member)}' failed to satisfy "
            f"constraint: Member must satisfy regular expression pattern: {pattern}"
        )
    if isinstance(shape, ListShape):
        for element in value:
            _check_value(member, shape.member, element)
    elif isinstance(shape, StructureShape):
        for name in shape.members.keys() & value.keys():
            _check_value(f"{member}.{name}", shape.members[name], value[name])


def _check_size(member: str, shape: Shape, value: Any) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    size = _size(shape, value)
    if low is not None and size < low:
        raise _unsatisfied(member, shape, "greater than or equal to", low)
    if high is not None and size > high:
        raise _unsatisfied(member, shape, "less than or equal to", high)


def _size(shape: Shape, value: Any) -> int:
    """Characters, bytes of a secret value, elements, or the number itself."""
    if shape.type_name in ("integer", "long"):
        return int(value)
    if shape.name == "SecretStringType":
        return len(value.encode())
    if shape.type_name == "blob":
        return len(base64.b64decode(value))
    return len(value) if shape.type_name in ("string", "list") else 0


def _unsatisfied(member: str, shape: Shape, relation: str, limit: int) -> ServiceError:
    """The value itself never stands in the text: it may be a secret."""
    if member == "ClientRequestToken":
        return ParameterError("ClientRequestToken must be 32-64 characters long.")
    kind = "value" if shape.type_name in ("integer", "long") else "length"
    return ValidationError(
        f"1 validation error detected: Value at '{_wire(member)}' failed to satisfy constraint: "
        f"Member must have {kind} {relation} {limit}"
    )


def _wire(member: str) -> str:
    return member[0].lower() + member[1:]
