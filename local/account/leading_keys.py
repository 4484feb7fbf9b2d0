"""The partition keys that a request to DynamoDB names: the condition key dynamodb:LeadingKeys.

Source: DynamoDB developer guide, "Using IAM policy conditions for fine-grained access control".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ministack.services import dynamodb

PROTOCOL = "DynamoDB_20120810"
ATTRIBUTE = r"(#?\w+)\s*=\s*(:\w+)"

Asked = Mapping[str, Any]


def leading_keys(headers: Mapping[str, str], body: bytes) -> dict[str, list[str]]:
    """The condition key with its values; empty for what names no item."""
    protocol, _, operation = headers.get("x-amz-target", "").partition(".")
    if protocol != PROTOCOL:
        return {}
    try:
        found = sorted(set(_values(operation, json.loads(body))))
    except (ValueError, KeyError, TypeError, AttributeError):
        found = []
    return {"dynamodb:leadingkeys": found} if found else {}


def _values(operation: str, asked: Asked) -> Iterator[str]:
    match operation:
        case "BatchGetItem":
            for table, part in asked["RequestItems"].items():
                yield from (_value(table, key) for key in part["Keys"])
        case "BatchWriteItem":
            for table, requests in asked["RequestItems"].items():
                for request in requests:
                    (change,) = request.values()
                    yield _value(table, change.get("Item") or change["Key"])
        case "Query":
            yield from _queried(asked)
        case "DeleteItem" | "GetItem" | "PutItem" | "UpdateItem":
            yield _value(asked["TableName"], asked.get("Item") or asked["Key"])


def _queried(asked: Asked) -> Iterator[str]:
    names, values = asked.get("ExpressionAttributeNames", {}), asked["ExpressionAttributeValues"]
    for name, value in re.findall(ATTRIBUTE, asked["KeyConditionExpression"]):
        if names.get(name, name) == _attribute(asked["TableName"]):
            yield _text(values[value])


def _value(table: str, attributes: Asked) -> str:
    return _text(attributes[_attribute(table)])


def _attribute(table: str) -> str:
    """Of the partition key; tables are named by their ARNs as well."""
    return str(dynamodb._tables[table.rpartition("/")[2]]["pk_name"])


def _text(value: Mapping[str, str]) -> str:
    (text,) = value.values()
    return text
