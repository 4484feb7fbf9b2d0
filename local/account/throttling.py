"""Tables that are throttled because a test says so: their next requests are refused.

Source: DynamoDB developer guide, "Error handling with DynamoDB".
"""

from __future__ import annotations

import json
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import dynamodb

CODE = "ProvisionedThroughputExceededException"
TEXT = (
    "The level of configured provisioned throughput for the table was exceeded. Consider "
    "increasing your provisioning level with the UpdateTable API."
)

_left: dict[str, int] = {}


def throttle(table: str, requests: int) -> None:
    """Refuse so many of the table's next requests."""
    _left[table] = requests


def left() -> dict[str, int]:
    """How many requests of each table will still be refused."""
    return {table: number for table, number in _left.items() if number}


def _refused(body: bytes) -> bool:
    if not any(_left.values()):
        return False
    asked = json.loads(body or b"{}")
    for table in {asked.get("TableName"), *asked.get("RequestItems", {})}:
        if _left.get(table, 0) > 0:
            _left[table] -= 1
            return True
    return False


def install() -> None:
    stock = dynamodb.handle_request

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Any:
        if _refused(body):
            return error_response_json(CODE, TEXT)
        return await stock(method, path, headers, body, query)

    dynamodb.handle_request = handle
