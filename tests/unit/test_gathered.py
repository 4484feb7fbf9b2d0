"""A batch that is handled as a whole: what Lambda is told of each message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from rekey.aws.gathered import gathered_handler
from rekey.errors import InvalidEvent, RekeyError, StateTableFailure
from rekey.model import Deadline

CONTEXT: Any = SimpleNamespace(
    function_name="watch",
    memory_limit_in_mb=1,
    aws_request_id="r",
    get_remaining_time_in_millis=lambda: 60_000,
)


def event(**bodies: str) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": name, "body": body, "eventSource": "aws:sqs"}
            for name, body in bodies.items()
        ]
    }


def failures(answer: Any) -> set[str]:
    return {item["itemIdentifier"] for item in answer["batchItemFailures"]}


def test_only_what_failed_comes_again() -> None:
    taken = dict[str, Any]()

    def take(bodies: Mapping[str, Any], _: Deadline) -> dict[str, RekeyError]:
        taken.update(bodies)
        return {"b": InvalidEvent("no")}

    answer = gathered_handler(take)(event(a='{"x": 1}', b="{}", c="not JSON"), CONTEXT)
    assert failures(answer) == {"b", "c"}
    assert taken == {"a": {"x": 1}, "b": {}}


def test_a_defect_fails_the_batch_and_its_text_stays_inside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def take(_: Mapping[str, Any], __: Deadline) -> dict[str, RekeyError]:
        raise ValueError("canary-5f1c")

    answer = gathered_handler(take)(event(a="{}", b="{}"), CONTEXT)
    assert failures(answer) == {"a", "b"}
    written = [vars(record) for record in caplog.records]
    assert {record["outcome"] for record in written} == {"UnexpectedFailure"}
    assert "canary-5f1c" not in repr(written)


def test_a_defect_in_one_message_fails_that_one_and_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = set[str]()

    def take(bodies: Mapping[str, Any], _: Deadline) -> dict[str, RekeyError]:
        if {"poison": 1} in bodies.values():
            raise KeyError
        done.update(bodies)
        return {"m3": InvalidEvent("no")} if "m3" in bodies else {}

    bodies = {f"m{n}": "{}" for n in range(40)} | {"m17": '{"poison": 1}'}
    answer = gathered_handler(take)(event(**bodies), CONTEXT)
    assert failures(answer) == {"m3", "m17"}
    assert done == bodies.keys() - {"m17"}
    outcomes = {vars(one)["message_id"]: vars(one)["outcome"] for one in caplog.records}
    assert outcomes == {"m3": "InvalidEvent", "m17": "UnexpectedFailure"}


def test_what_was_not_understood_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    errors: dict[str, RekeyError] = {"a": InvalidEvent("no"), "b": StateTableFailure("no")}
    gathered_handler(lambda _, __: errors)(event(a="{}", b="{}", c="not JSON"), CONTEXT)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (metrics,) = [line for line in lines if "_aws" in line]
    assert metrics["AccessEventsFailed"] == [3.0]
    assert metrics["AccessEventsNotUnderstood"] == [2.0]


@pytest.mark.parametrize("body", ["[" * 100_000, '{"name": "half a pair \\ud83d"}', "1" * 5_000])
def test_what_no_parser_or_table_takes_fails_for_itself(body: str) -> None:
    answer = gathered_handler(lambda _, __: {})(event(good='"\\ud83d\\ude00"', bad=body), CONTEXT)
    assert failures(answer) == {"bad"}


def test_what_is_taken_in_ends_some_seconds_before_the_function_does() -> None:
    left = list[float]()

    def take(_: Mapping[str, Any], deadline: Deadline) -> dict[str, RekeyError]:
        left.append(deadline.remaining())
        return {}

    gathered_handler(take)(event(a="{}"), CONTEXT)
    assert 40 < left[0] <= 50


def test_events_and_failures_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    gathered_handler(lambda _, __: {})(event(a="{}", b="{}"), CONTEXT)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (metrics,) = [line for line in lines if "_aws" in line]
    assert metrics["AccessEvents"] == [2.0]
    assert metrics["AccessEventsFailed"] == [0.0]
