"""What people have decided not to be told about, as items of the state table.

Keys ``pk`` (``suppressions``) and ``sk`` (its name); the decision is a JSON document, which
outlives its end for some weeks, so that people can see what has ended.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from rekey.aws.state_table import ConditionFailed, ask

PK = "suppressions"


class Suppressions:
    """``client`` is DynamoDB's. All methods raise StateTableFailure."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def documents(self) -> list[Mapping[str, Any]]:
        """Return all of them, each with its ``name``. What is no JSON object counts for nothing."""
        found, more = list[Mapping[str, Any]](), dict[str, Any]()
        while True:
            answer = ask(
                self._client.query,
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": PK}},
                **more,
            )
            found += [{**_document(item), "name": item["sk"]["S"]} for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return found
            more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def add(self, name: str, document: Mapping[str, Any], kept: int) -> bool:
        """Put it, to be deleted at ``kept`` (epoch); False if there is one of that name."""
        item = {
            **_key(name),
            "expires": {"N": str(kept)},
            "suppression": {"S": json.dumps(dict(document), ensure_ascii=False)},
        }
        condition = {"ConditionExpression": "attribute_not_exists(pk)"}
        return self._done(self._client.put_item, Item=item, **condition)

    def remove(self, name: str) -> bool:
        """Delete it; False if there is none of that name."""
        condition = {"ConditionExpression": "attribute_exists(pk)"}
        return self._done(self._client.delete_item, Key=_key(name), **condition)

    def _done(self, call: Callable[..., Any], **parameters: Any) -> bool:
        try:
            ask(call, TableName=self._table, **parameters)
        except ConditionFailed:
            return False
        return True


def _document(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Whoever writes by hand may write anything: one bad item must not blind the watch."""
    try:
        document = json.loads(item["suppression"]["S"])
    except (KeyError, TypeError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _key(name: str) -> dict[str, Any]:
    return {"pk": {"S": PK}, "sk": {"S": name}}
