"""Metrics of functions: what Lambda counts itself, and what functions write into their log.

Sources: Lambda developer guide, "Types of metrics for Lambda functions"; CloudWatch user guide,
"Specification: Embedded metric format".
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ministack.services import cloudwatch, lambda_svc

NAMESPACE = "AWS/Lambda"


@dataclass(frozen=True)
class Datum:
    """One value of one metric; `time` in epoch seconds."""

    namespace: str
    name: str
    unit: str
    value: float
    dimensions: dict[str, str]
    time: float


def record(datum: Datum) -> None:
    key = (datum.namespace, datum.name, cloudwatch._dims_key(datum.dimensions))
    cloudwatch._metric_bucket(key).append(
        {
            "Timestamp": datum.time,
            "Value": datum.value,
            "Unit": datum.unit,
            "Dimensions": datum.dimensions,
        }
    )


def embedded(line: str) -> Iterator[Datum]:
    """The data in one line of a log, none if it is not in the embedded metric format."""
    if '"_aws"' not in line:
        return
    try:
        entry = json.loads(line)
        for directive in entry["_aws"]["CloudWatchMetrics"]:
            yield from _of_directive(entry, directive)
    except (ValueError, KeyError, TypeError, AttributeError):
        return  # CloudWatch keeps such a line as a log event and says nothing


def _of_directive(entry: dict[str, Any], directive: dict[str, Any]) -> Iterator[Datum]:
    for dimension_set in directive["Dimensions"]:
        dimensions = {name: str(entry[name]) for name in dimension_set}
        for metric in directive["Metrics"]:
            values = entry[metric["Name"]]
            for value in values if isinstance(values, list) else [values]:
                yield Datum(
                    namespace=directive["Namespace"],
                    name=metric["Name"],
                    unit=metric.get("Unit", "None"),
                    value=float(value),
                    dimensions=dimensions,
                    time=entry["_aws"]["Timestamp"] / 1000,
                )


def of_invocation(function: str, result: dict[str, Any], seconds: float) -> Iterator[Datum]:
    """What Lambda counts for one invocation: a throttled one has not been an invocation."""
    if result.get("throttle"):
        yield from _counted(function, "Throttles", "Count", 1)
        return
    yield from _counted(function, "Invocations", "Count", 1)
    yield from _counted(function, "Errors", "Count", 1 if result.get("error") else 0)
    yield from _counted(function, "Throttles", "Count", 0)
    yield from _counted(function, "Duration", "Milliseconds", seconds * 1000)


def _counted(function: str, name: str, unit: str, value: float) -> Iterator[Datum]:
    """For the function, and over all functions."""
    for dimensions in ({"FunctionName": function}, {}):
        yield Datum(NAMESPACE, name, unit, value, dimensions, time.time())


def _count(function: str, result: dict[str, Any], seconds: float) -> None:
    for datum in of_invocation(function, result, seconds):
        record(datum)


def _install_counting() -> None:
    """Every way to a function leads through this dispatch, except one that is throttled before.

    MiniStack's own counting knows only calls over HTTP, and would count those twice now.
    """
    stock = lambda_svc._execute_function_dispatch

    def dispatch(
        func: dict[str, Any],
        config: dict[str, Any],
        event: Any,
        request_id: str,
        started: float,
    ) -> dict[str, Any]:
        result: dict[str, Any] = stock(func, config, event, request_id, started)
        _count(config["FunctionName"], result, time.time() - started)
        return result

    def throttled_before(function_name: str, duration_ms: float, **outcome: Any) -> None:
        if outcome["throttle"] and not duration_ms:
            _count(function_name, {"throttle": True}, 0)

    lambda_svc._execute_function_dispatch = dispatch
    lambda_svc._emit_lambda_metrics = throttled_before


def _install_embedded() -> None:
    stock = lambda_svc._emit_lambda_logs

    def emit(func: dict[str, Any], request_id: str, log_text: str, *rest: Any, **more: Any) -> None:
        stock(func, request_id, log_text, *rest, **more)
        for line in (log_text or "").splitlines():
            for datum in embedded(line):
                record(datum)

    lambda_svc._emit_lambda_logs = emit


def install() -> None:
    _install_counting()
    _install_embedded()
