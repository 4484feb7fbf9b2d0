"""The agenda of open access incidents in DynamoDB: one partition, which one query reads.

Keys ``pk`` (``open-incidents``) and ``sk`` (the incident's id); ``expires`` is what the table's
time to live goes by.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rekey.aws.state_table import ConditionFailed, ask
from rekey.known import Key, Open, mark

PARTITION = "open-incidents"


class OpenIncidents:
    """See Agenda. ``client`` is DynamoDB's; ``now`` is the time (epoch)."""

    def __init__(self, client: Any, table: str, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._now = now

    def note(self, entry: Open) -> None:
        """See Agenda."""
        item = {
            **_place(entry.key),
            "incident_pk": {"S": entry.key.pk},
            "incident_sk": {"S": entry.key.sk},
            "occurrence": {"S": entry.occurrence},
            "expires": {"N": str(entry.expires)},
        }
        self._ask(self._client.put_item, Item=item)

    def all(self) -> Iterator[Open]:
        """See Agenda. What has expired is deleted some time later, and left out until then."""
        query: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk",
            "FilterExpression": "expires > :now",
            "ExpressionAttributeValues": {
                ":pk": {"S": PARTITION},
                ":now": {"N": str(int(self._now()))},
            },
        }
        while True:
            answer = self._ask(self._client.query, **query)
            yield from map(_open, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def drop(self, entry: Open) -> None:
        """See Agenda."""
        self._ask(
            self._client.delete_item,
            Key=_place(entry.key),
            ConditionExpression="occurrence = :told",
            ExpressionAttributeValues={":told": {"S": entry.occurrence}},
        )

    def _ask(self, call: Callable[..., Any], **parameters: Any) -> Any:
        try:
            return ask(call, TableName=self._table, **parameters)
        except ConditionFailed:
            return None


def _place(key: Key) -> dict[str, Any]:
    return {"pk": {"S": PARTITION}, "sk": {"S": mark("/".join(key))}}


def _open(item: Mapping[str, Any]) -> Open:
    key = Key(item["incident_pk"]["S"], item["incident_sk"]["S"])
    return Open(key, item["occurrence"]["S"], int(item["expires"]["N"]))
