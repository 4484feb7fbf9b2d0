"""From what was observed to the rows of a timeline. Pure, and nothing in it is made up.

CloudTrail's records tell which calls were made and how they moved labels, the function's log lines
tell which step ended when. They have no key in common. What joins them is their order, and that
each step begins with one of two calls (`begins_a_step`). Later on a step makes them only if the
pending value cannot be read at once, the server refuses a login, or a rotation with a superuser is
tried again; the demo causes none of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

SOURCE = "secretsmanager.amazonaws.com"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
ENDS = frozenset({"RotationSucceeded", "RotationFailed", "RotationAbandoned"})
GOOD_OUTCOMES = frozenset({"done", "nothing-to-do"})
CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"

Record = Mapping[str, Any]
Line = Mapping[str, Any]
Labels = Mapping[str, str]
"""Version id by staging label."""


@dataclass(frozen=True)
class Row:
    """A step of a rotation: its calls, and the labels after them.

    `milliseconds` is the function's own count, and None as long as it has not reported.
    """

    step: str
    calls: tuple[str, ...]
    labels: Labels
    milliseconds: float | None = None
    outcome: str = ""
    reason: str = ""

    @property
    def is_over(self) -> bool:
        return self.milliseconds is not None

    @property
    def failed(self) -> bool:
        return self.is_over and self.outcome not in GOOD_OUTCOMES


@dataclass(frozen=True)
class Timeline:
    """All steps of a rotation so far; `end` is the service's own event about how it ended."""

    rows: tuple[Row, ...]
    labels: Labels
    end: str | None

    @property
    def calls(self) -> int:
        """All calls that the function made to Secrets Manager."""
        return sum(len(row.calls) for row in self.rows)

    @property
    def is_complete(self) -> bool:
        return self.end is not None and all(row.is_over for row in self.rows)

    @property
    def failure(self) -> Row | None:
        """The step that failed last."""
        return next((row for row in reversed(self.rows) if row.failed), None)


def timeline(before: Labels, records: Iterable[Record], lines: Sequence[Line]) -> Timeline:
    """The rows of one rotation.

    `before` are the labels at the first record; `records` are those of Secrets Manager about this
    rotation, `lines` the function's log lines about it, both in the order in which they came.
    """
    labels, end = dict(before), None
    steps: list[tuple[list[str], Labels]] = []
    last: Record = {}
    for record in records:
        labels = moved(labels, record)
        if record["eventName"] in ENDS:
            end = str(record["eventName"])
        elif is_of_the_function(record):
            if not steps or begins_a_step(record, last):
                steps.append(([], labels))
            last = record
            steps[-1] = ([*steps[-1][0], str(record["eventName"])], labels)
    return Timeline(tuple(_rows(steps, lines)), labels, end)


def begins_a_step(record: Record, last: Record) -> bool:
    """The first and the last step begin with the labels, the others with the pending value.

    `last` is the function's call before this one: in the midst of setSecret the labels are read
    again, after a superuser's secret, and once more after that.
    """
    asked, before = record["requestParameters"] or {}, last.get("requestParameters") or {}
    wants_pending = "versionId" in asked and asked.get("versionStage") == PENDING
    match record["eventName"]:
        case "DescribeSecret":
            again = last.get("eventName") == "DescribeSecret"
            return not again and before.get("secretId") in (None, asked.get("secretId"))
        case "GetSecretValue":
            return wants_pending
    return False


def is_of_the_function(record: Record) -> bool:
    """The name of a role's session is the function's."""
    session = record["userIdentity"].get("arn", "").rpartition("/")[2]
    return bool(record["eventSource"] == SOURCE and session.startswith("rekey-rotate-"))


def moved(labels: Labels, record: Record) -> dict[str, str]:
    """The labels after a call or an event. Source: the API reference of each of them."""
    after, asked = dict(labels), record["requestParameters"] or {}
    if record.get("errorCode"):
        return after
    match record["eventName"]:
        case "RotateSecret":
            after[PENDING] = asked["clientRequestToken"]
        case "PutSecretValue":
            wanted = asked.get("versionStages", [CURRENT])
            after.update(dict.fromkeys(wanted, asked["clientRequestToken"]))
        case "UpdateSecretVersionStage":
            after |= _relabelled(after, asked["versionStage"], asked.get("moveToVersionId"))
            if "moveToVersionId" not in asked:
                after.pop(asked["versionStage"], None)
        case "RotationSucceeded":
            after.pop(PENDING, None)
    return after


def _relabelled(labels: Labels, label: str, version: str | None) -> dict[str, str]:
    """AWSPREVIOUS follows by itself to the version that AWSCURRENT is taken from."""
    if version is None:
        return {}
    former = labels.get(CURRENT)
    follows = label == CURRENT and former not in (None, version)
    return {label: version} | ({PREVIOUS: str(former)} if follows else {})


def _rows(steps: Sequence[tuple[Sequence[str], Labels]], lines: Sequence[Line]) -> Iterable[Row]:
    expected = STEPS[0]
    for calls, line in zip_longest(steps, lines):
        made, labels = calls or ((), {})
        if line is None:
            yield Row(expected, tuple(made), labels)
            continue
        row = Row(
            step=line["step"],
            calls=tuple(made),
            labels=labels,
            milliseconds=line["duration_ms"],
            outcome=line["outcome"],
            reason=line["reason"],
        )
        yield row
        expected = STEPS[0] if row.failed else STEPS[(STEPS.index(row.step) + 1) % len(STEPS)]
