"""Where findings that are alike are counted: an item each in the state table.

Keys ``pk`` (``crowd#<day>``) and ``sk`` (kind, severity, status, owner).
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from rekey.aws.state_table import ask
from rekey.crowd import NAMED, ONE_BY_ONE, Alike, Crowd
from rekey.incident import Severity

EXPIRES_SECONDS = 7 * 86_400
SOLVED = "solved"


class CrowdItems:
    """See Crowds. ``client`` is DynamoDB's."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def join(self, of: Alike, name: str, now: datetime) -> int:
        """See Crowds."""
        answer = self._ask(
            self._client.update_item,
            Key=_key(of),
            UpdateExpression=("ADD #count :one SET #last = :now, #expires = :expires"),
            ExpressionAttributeNames={f"#{name}": name for name in ("count", "last", "expires")},
            ExpressionAttributeValues={
                ":one": {"N": "1"},
                ":now": _number(now),
                ":expires": {"N": str(int(now.timestamp()) + EXPIRES_SECONDS)},
            },
            ReturnValues="UPDATED_NEW",
        )
        place = int(answer["Attributes"]["count"]["N"])
        if ONE_BY_ONE < place <= ONE_BY_ONE + NAMED:
            self._ask(
                self._client.update_item,
                Key=_key(of),
                UpdateExpression="ADD #names :name SET #begun = if_not_exists(#begun, :now)",
                ExpressionAttributeNames={"#names": "names", "#begun": "begun"},
                ExpressionAttributeValues={":name": {"SS": [name]}, ":now": _number(now)},
            )
        return place

    def on(self, day: date) -> tuple[Crowd, ...]:
        """See Crowds."""
        found, more = list[Crowd](), dict[str, Any]()
        while True:
            answer = self._ask(
                self._client.query,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": f"crowd#{day}"}},
                **more,
            )
            found += map(_crowd, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return tuple(found)
            more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def note_told(self, crowd: Crowd) -> None:
        """See Crowds."""
        self._ask(
            self._client.update_item,
            Key=_key(crowd.of),
            UpdateExpression="SET #told = :count",
            ExpressionAttributeNames={"#told": "told"},
            ExpressionAttributeValues={":count": {"N": str(crowd.count)}},
        )

    def _ask(self, call: Callable[..., Any], **parameters: Any) -> Any:
        return ask(call, TableName=self._table, **parameters)


def _key(of: Alike) -> dict[str, Any]:
    status = SOLVED if of.solved else "open"
    return {
        "pk": {"S": f"crowd#{of.day}"},
        "sk": {"S": f"{of.kind}#{of.severity}#{status}#{of.owner}"},
    }


def _crowd(item: Mapping[str, Any]) -> Crowd:
    kind, severity, status, owner = item["sk"]["S"].split("#", 3)
    day = date.fromisoformat(item["pk"]["S"].partition("#")[2])
    return Crowd(
        Alike(day, kind, Severity(severity), status == SOLVED, owner),
        int(item["count"]["N"]),
        frozenset(item.get("names", {}).get("SS", ())),
        _moment(item.get("begun", item["last"])),
        _moment(item["last"]),
        int(item.get("told", {"N": "0"})["N"]),
    )


def _number(moment: datetime) -> dict[str, str]:
    return {"N": str(int(moment.timestamp()))}


def _moment(attribute: Mapping[str, str]) -> datetime:
    return datetime.fromtimestamp(int(attribute["N"]), UTC)
