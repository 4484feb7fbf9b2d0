"""The table of incidents in DynamoDB: one item each, replaced only by who has read the latest.

Keys ``pk`` (``incident#<topic>``) and ``sk`` (``incident``); ``expires`` is what the table's time
to live goes by. The rest stands in one JSON document, as nothing asks for parts of it.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rekey.aws.state_table import ConditionFailed, ask
from rekey.errors import StateTableFailure
from rekey.incident import Incident, Severity, Status, Untold

SORT_KEY = "incident"
BATCH = 100
"""Keys in one BatchGetItem."""
ROUNDS = 8
"""How often keys that DynamoDB left out are asked for again."""


class Incidents:
    """See IncidentStore. ``client`` is DynamoDB's."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, topic: str) -> Incident | None:
        """See IncidentStore."""
        answer = ask(
            self._client.get_item, TableName=self._table, Key=_key(topic), ConsistentRead=True
        )
        return _incident(answer["Item"]) if "Item" in answer else None

    def get_many(self, topics: Collection[str]) -> Mapping[str, Incident]:
        """See IncidentStore. Eventually consistent: for what is looked at again another day."""
        ordered = sorted(set(topics))
        found = [
            incident
            for start in range(0, len(ordered), BATCH)
            for incident in self._batch([_key(topic) for topic in ordered[start : start + BATCH]])
        ]
        return {incident.topic: incident for incident in found}

    def put(self, incident: Incident, *, replaces: Incident | None) -> bool:
        """See IncidentStore."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if replaces is not None:
            condition = {
                "ConditionExpression": "#revision = :revision",
                "ExpressionAttributeNames": {"#revision": "revision"},
                "ExpressionAttributeValues": {":revision": {"N": str(replaces.revision)}},
            }
        try:
            ask(self._client.put_item, TableName=self._table, Item=_item(incident), **condition)
        except ConditionFailed:
            return False
        return True

    def _batch(self, keys: list[Any]) -> Iterator[Incident]:
        asked: dict[str, Any] = {self._table: {"Keys": keys}}
        for _ in range(ROUNDS):
            answer = ask(self._client.batch_get_item, RequestItems=asked)
            yield from map(_incident, answer["Responses"].get(self._table, []))
            asked = answer.get("UnprocessedKeys") or {}
            if not asked:
                return
        raise StateTableFailure("DynamoDB left keys unread again and again. Try later.")


def _key(topic: str) -> dict[str, Any]:
    return {"pk": {"S": f"incident#{topic}"}, "sk": {"S": SORT_KEY}}


def _item(incident: Incident) -> dict[str, Any]:
    return {
        **_key(incident.topic),
        "revision": {"N": str(incident.revision)},
        "expires": {"N": str(int(incident.expires.timestamp()))},
        "incident": {"S": json.dumps(_document(incident))},
    }


def _document(incident: Incident) -> dict[str, Any]:
    untold = incident.untold
    return {
        "topic": incident.topic,
        "id": incident.id,
        "kinds": sorted(incident.kinds),
        "severity": incident.severity,
        "opened": incident.opened.isoformat(),
        "seen": incident.seen.isoformat(),
        "solved": incident.solved and incident.solved.isoformat(),
        "occurrences": sorted(incident.occurrences),
        "untold": untold
        and [untold.status, untold.occurrence, untold.since.isoformat(), untold.place],
    }


def _incident(item: Mapping[str, Any]) -> Incident:
    kept = json.loads(item["incident"]["S"])
    return Incident(
        topic=kept["topic"],
        id=kept["id"],
        kinds=frozenset(kept["kinds"]),
        severity=Severity(kept["severity"]),
        opened=datetime.fromisoformat(kept["opened"]),
        seen=datetime.fromisoformat(kept["seen"]),
        solved=kept["solved"] and datetime.fromisoformat(kept["solved"]),
        occurrences=frozenset(kept["occurrences"]),
        untold=_untold(kept["untold"]),
        expires=datetime.fromtimestamp(int(item["expires"]["N"]), UTC),
        revision=int(item["revision"]["N"]),
    )


def _untold(kept: list[Any] | None) -> Untold | None:
    if kept is None:
        return None
    status, occurrence, since, *place = kept
    return Untold(Status(status), occurrence, datetime.fromisoformat(since), *place)
