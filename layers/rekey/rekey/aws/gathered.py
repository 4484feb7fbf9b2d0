"""Around a batch of messages that is handled as a whole: each message still fails for itself."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes import SQSEvent

from rekey.aws.invocation import NAMESPACE, place
from rekey.errors import InvalidEvent, RekeyError, UnexpectedFailure
from rekey.model import Deadline

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

Take = Callable[[Mapping[str, Any], Deadline], Mapping[str, RekeyError]]
"""Bodies by message id, to why a message has to come again."""

SPARE = 12
"""Seconds before the function's time is over in which nothing new is begun. An invocation that is
cut off says of no message that it is done with; after a few of those all would be dead letters."""


def gathered_handler(
    take: Take,
) -> "Callable[[dict[str, Any], LambdaContext], PartialItemFailureResponse]":
    """Return a Lambda handler for messages of SQS that hands ``take`` all of a batch at once."""
    logger, metrics = Logger(), Metrics(namespace=NAMESPACE)

    def handler(event: dict[str, Any], context: "LambdaContext") -> "PartialItemFailureResponse":
        deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000 - SPARE)
        failures = _failures(take, SQSEvent(event), deadline)

        def each(record: "SQSRecord") -> None:
            if record.message_id in failures:
                raise failures[record.message_id]

        # A batch of failures only is no failure of the function: each message is reported below.
        processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
        answer = process_partial_response(event, each, processor, context)
        for message_id, error in failures.items():
            reason = {"outcome": type(error).__name__, "reason": str(error)}
            logger.error("access event", extra={"message_id": message_id, **reason})
        _count(metrics, len(event["Records"]), failures)
        return answer

    return handler


def _failures(take: Take, event: SQSEvent, deadline: Deadline) -> dict[str, RekeyError]:
    bodies, failures = dict[str, Any](), dict[str, RekeyError]()
    for record in event.records:
        try:
            bodies[record.message_id] = _parsed(record.body)
        except InvalidEvent as error:
            failures[record.message_id] = error
    return {**failures, **_taken(take, bodies, deadline)}


def _taken(take: Take, bodies: Mapping[str, Any], deadline: Deadline) -> Mapping[str, RekeyError]:
    """Take a batch; what trips over a defect is halved until the message is alone that did it."""
    try:
        return take(bodies, deadline)
    except Exception as error:  # noqa: BLE001 - the text of a defect may hold anything
        if len(bodies) <= 1:
            defect = UnexpectedFailure(f"{type(error).__name__} at {place(error)}")
            return dict.fromkeys(bodies, defect)
    ids = sorted(bodies)
    halves = (ids[: len(ids) // 2], ids[len(ids) // 2 :])
    taken = (_taken(take, {name: bodies[name] for name in half}, deadline) for half in halves)
    return {name: error for failed in taken for name, error in failed.items()}


def _parsed(body: str) -> Any:
    """Raises InvalidEvent, also for half a character: no table and no topic takes such a text."""
    try:
        document = json.loads(body)
        if r"\ud" in body.lower():
            json.dumps(document, ensure_ascii=False).encode()
    # Python's parser ends at some depth in an error of its own.
    except (ValueError, RecursionError):
        raise InvalidEvent("The message is not JSON.") from None
    return document


def _count(metrics: Metrics, number: int, failures: Mapping[str, RekeyError]) -> None:
    metrics.add_metric("AccessEvents", MetricUnit.Count, number)
    metrics.add_metric("AccessEventsFailed", MetricUnit.Count, len(failures))
    unclear = sum(isinstance(error, InvalidEvent) for error in failures.values())
    metrics.add_metric("AccessEventsNotUnderstood", MetricUnit.Count, unclear)
    metrics.flush_metrics()
