"""What is known about readers, in DynamoDB: replaced only by who has read the latest.

Keys ``pk`` and ``sk``; ``expires`` is what the table's time to live goes by. The rest of an item
stands in one JSON document, as nothing asks for parts of it.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from rekey.aws.state_table import ConditionFailed, ask
from rekey.errors import StateTableFailure
from rekey.known import MOST_READERS, ROTATIONS, Item, Key, secret_key

BATCH = 100
"""Keys in one BatchGetItem."""
ROUNDS = 8
"""How often keys that DynamoDB left out are asked for again."""
MOST_OCTETS = 100_000
"""Of what an item holds. Caps keep it below, whatever the records say; DynamoDB's end is 400 KB."""
READERS = 100
"""Readers of a secret that are looked at: enough to name some, and to know colleagues."""
# An item that has expired is deleted some time later, and counts for nothing until then.
UNTAKEN = "attribute_not_exists(pk) OR #revision = :revision OR expires <= :now"


class AccessState:
    """See Memory and Rotations. ``client`` is DynamoDB's; ``now`` is the time (epoch)."""

    def __init__(self, client: Any, table: str, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._now = now

    def load(self, keys: Iterable[Key], *, latest: bool = False) -> Mapping[Key, Item]:
        """See Memory."""
        ordered = sorted(set(keys))
        now = int(self._now())
        found = (
            _item(raw)
            for start in range(0, len(ordered), BATCH)
            for raw in self._batch(ordered[start : start + BATCH], latest=latest)
        )
        return {item.key: item for item in found if item.expires > now}

    def save(self, item: Item) -> bool:
        """See Memory. An item that would stay for ever or grow without end is a defect."""
        raw = _raw(item)
        if item.expires <= 0 or len(raw["known"]["S"].encode()) > MOST_OCTETS:
            raise StateTableFailure("An item has outgrown its bound, or would never expire.")
        values = {":revision": _number(item.revision), ":now": _number(int(self._now()))}
        try:
            ask(
                self._client.put_item,
                TableName=self._table,
                Item=raw,
                ConditionExpression=UNTAKEN,
                ExpressionAttributeNames={"#revision": "revision"},
                ExpressionAttributeValues=values,
            )
        except ConditionFailed:
            return False
        return True

    def readers(self, secret: str) -> frozenset[str]:
        """See Memory."""
        answer = ask(
            self._client.query,
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :reader)",
            ExpressionAttributeValues={
                ":pk": {"S": secret_key(secret).pk},
                ":reader": {"S": "reader#"},
            },
            ProjectionExpression="sk",
            Limit=READERS,
        )
        return frozenset(raw["sk"]["S"].partition("#")[2] for raw in answer["Items"])

    def reading(self, secret: str) -> tuple[Item | None, Sequence[Item]]:
        """See Rotations. One page after another, as the readers stand by their names."""
        key = secret_key(secret)
        readers = (item for item in self._query(key.pk, "reader#"))
        return self.load((key,)).get(key), list(islice(readers, MOST_READERS))

    def rotations(self) -> Sequence[Item]:
        """See Rotations."""
        return list(self._query(ROTATIONS, ""))

    def forget(self, key: Key) -> None:
        """See Rotations."""
        where = {"pk": {"S": key.pk}, "sk": {"S": key.sk}}
        ask(self._client.delete_item, TableName=self._table, Key=where)

    def _query(self, pk: str, start: str) -> Iterator[Item]:
        asked: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
        }
        if start:
            asked["KeyConditionExpression"] += " AND begins_with(sk, :start)"
            asked["ExpressionAttributeValues"][":start"] = {"S": start}
        now, place = int(self._now()), dict[str, Any]()
        while True:
            answer = ask(self._client.query, **asked, **place)
            items = map(_item, answer["Items"])
            yield from (item for item in items if item.expires > now)
            if "LastEvaluatedKey" not in answer:
                return
            place = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _batch(self, keys: Sequence[Key], *, latest: bool) -> Iterator[Mapping[str, Any]]:
        wanted = [{"pk": {"S": key.pk}, "sk": {"S": key.sk}} for key in keys]
        asked: dict[str, Any] = {self._table: {"Keys": wanted, "ConsistentRead": latest}}
        for _ in range(ROUNDS):
            answer = ask(self._client.batch_get_item, RequestItems=asked)
            yield from answer["Responses"].get(self._table, [])
            asked = answer.get("UnprocessedKeys") or {}
            if not asked:
                return
        raise StateTableFailure("DynamoDB left keys unread again and again. Try later.")


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def _raw(item: Item) -> dict[str, Any]:
    known = {
        "minima": dict(item.minima),
        "maxima": dict(item.maxima),
        "sets": {name: sorted(members) for name, members in item.sets.items()},
        "notes": dict(item.notes),
    }
    kept = {name: value for name, value in known.items() if value}
    return {
        "pk": {"S": item.key.pk},
        "sk": {"S": item.key.sk},
        "expires": _number(item.expires),
        "revision": _number(item.revision + 1),
        "known": {"S": json.dumps(kept, separators=(",", ":"), ensure_ascii=False)},
    }


def written_octets(item: Item) -> int:
    """Return how large an item is as DynamoDB counts: names and values in UTF-8, numbers short."""
    raw = _raw(item)
    texts = (next(iter(value.values())) for value in raw.values())
    return sum(map(len, raw)) + sum(len(text.encode()) for text in texts)


def _item(raw: Mapping[str, Any]) -> Item:
    known = json.loads(raw["known"]["S"])
    return Item(
        Key(raw["pk"]["S"], raw["sk"]["S"]),
        known.get("minima", {}),
        known.get("maxima", {}),
        {name: frozenset(members) for name, members in known.get("sets", {}).items()},
        {name: (rank, text) for name, (rank, text) in known.get("notes", {}).items()},
        int(raw["expires"]["N"]),
        int(raw["revision"]["N"]),
    )
