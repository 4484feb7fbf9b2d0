"""Around each message of a queue: one log line, one metric, and clean errors.

A message that fails comes again, and in the end goes to the dead letters; the others of its batch
are done with.
"""

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

from rekey.aws.invocation import NAMESPACE, place
from rekey.errors import InvalidEvent, RekeyError, UnexpectedFailure

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

Facts = Mapping[str, str]
"""What a message was about and what became of it; the key ``outcome`` is a metric's dimension."""


def batch_handler(
    handle: Callable[[object], Facts],
) -> "Callable[[dict[str, Any], LambdaContext], PartialItemFailureResponse]":
    """Return a Lambda handler for messages of SQS that carries out ``handle`` for each body.

    ``handle`` gets the body as parsed JSON, and may be asked again for the same.
    """
    logger, metrics = Logger(), Metrics(namespace=NAMESPACE)

    def report(facts: Facts, log: Callable[..., None]) -> None:
        log("event", extra=facts)
        metrics.add_dimension("outcome", facts["outcome"])
        metrics.add_metric("Events", MetricUnit.Count, 1)
        metrics.flush_metrics()

    def each(record: "SQSRecord") -> None:
        try:
            facts = handle(_body(record))
        except RekeyError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - the text of a defect may hold anything
            failure = UnexpectedFailure(f"{type(error).__name__} at {place(error)}")
        else:
            report(facts, logger.info)
            return
        reason = {"outcome": type(failure).__name__, "reason": str(failure)}
        report({"message_id": record.message_id, **reason}, logger.error)
        raise failure

    # A batch of failures only is no failure of the function: each message has been reported.
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)

    def handler(event: dict[str, Any], context: "LambdaContext") -> "PartialItemFailureResponse":
        return process_partial_response(event, each, processor, context)

    return handler


def _body(record: "SQSRecord") -> object:
    try:
        return json.loads(record.body)
    except ValueError:
        raise InvalidEvent("The message is not JSON.") from None
