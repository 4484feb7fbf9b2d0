"""What a record shows of a request and of its answer: camelCase names, and nothing secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

# Members that AWS marks as sensitive in its service models, in lower case; CloudTrail leaves
# them out wherever they stand.
_ANY_SERVICE = (
    "authtoken masteruserpassword password plaintext privatekey randompassword rotationtoken "
    "secretaccesskey secretbinary secretstring secretvalues sessiontoken"
)
_SECRET: dict[str, frozenset[str]] = {
    service: frozenset(f"{names} {_ANY_SERVICE}".split())
    for service, names in {
        "": "",
        "cloudformation": "parametervalue templatebody",
        "events": "input",
        "lambda": "environment zipfile",
        "scheduler": "input",
        "ssm": "value",
        "states": "cause definition input output",
    }.items()
}
_NOT_PARAMETERS = frozenset({"Action", "Version"})

Parameters = dict[str, Any]


def requested(
    service: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
) -> Parameters | None:
    """The request's parameters, None if there are none."""
    form = body if "form" in headers.get("content-type", "") else b""
    parameters: Parameters = _nested(_pairs(form, query))
    parameters.update(_json_object(body) or {})
    parameters.update(_from_path(service, path))
    return shown(service, parameters) or None


def shown(service: str, value: Any) -> Any:
    """The value with CloudTrail's names and without what is secret."""
    if isinstance(value, list):
        return [shown(service, item) for item in value]
    if not isinstance(value, dict):
        return value
    hidden = _SECRET.get(service, _SECRET[""])
    return {
        camel(key): shown(service, item) for key, item in value.items() if key.lower() not in hidden
    }


def answered(service: str, name: str, body: bytes) -> Parameters | None:
    """The elements of a successful answer to a call that changed something.

    Answers in XML are not shown.
    """
    answer = _json_object(body)
    if not answer:
        return None
    if service == "secretsmanager":
        if name in {"CreateSecret", "PutSecretValue", "UpdateSecret"}:
            return {"arn": answer.get("ARN")}
        answer = {key: _readable(key, item) for key, item in answer.items()}
    elements: Parameters = shown(service, answer)
    return elements or None


def camel(name: str) -> str:
    """`SecretId` is `secretId`, `ARN` is `arn` (it was `aRN` before 2024)."""
    return "arn" if name == "ARN" else name[:1].lower() + name[1:]


def _readable(key: str, value: Any) -> Any:
    """Dates such as `Jun 30, 2024, 8:00:00 PM`."""
    if not key.endswith("Date") or not isinstance(value, int | float):
        return value
    moment = datetime.fromtimestamp(value, UTC)
    return f"{moment:%b} {moment.day}, {moment:%Y}, {moment.hour % 12 or 12}:{moment:%M:%S %p}"


def _json_object(body: bytes) -> Parameters | None:
    if not body.startswith(b"{"):
        return None
    try:
        return dict(json.loads(body))
    except ValueError:
        return None


def _pairs(form: bytes, query: dict[str, Any]) -> list[tuple[str, str]]:
    in_query = [(key, values[0]) for key, values in query.items() if isinstance(values, list)]
    return [*in_query, *parse_qsl(form.decode("utf-8", "replace"))]


def _nested(pairs: list[tuple[str, str]]) -> Parameters:
    """`Tags.member.1.Key=a` is `{"Tags": [{"Key": "a"}]}`."""
    found: Parameters = {}
    for name, value in pairs:
        if name in _NOT_PARAMETERS or name.lower().startswith("x-amz-"):
            continue
        first, *others = name.split(".")
        *parents, last = [first, *(part for part in others if part not in {"member", "entry"})]
        place = found
        for part in parents:
            inner = place.setdefault(part, {})
            place = inner if isinstance(inner, dict) else {}
        place[last] = value
    return {key: _as_list(value) for key, value in found.items()}


def _as_list(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    members = {key: _as_list(item) for key, item in value.items()}
    return list(members.values()) if all(key.isdecimal() for key in members) else members


def _from_path(service: str, path: str) -> Parameters:
    parts = [part for part in path.split("/") if part]
    match parts:
        case [_, "functions", name, *_] if service == "lambda":
            return {"functionName": name}
        case [bucket, *_] if service == "s3":
            return {"bucketName": bucket}
    return {}
