"""Around each rotation step: the time limit, one log line, one metric, and clean errors."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from rekey.errors import RekeyError, UnexpectedFailure
from rekey.model import Deadline, RotationRequest, StepResult, WorkflowStep
from rekey.request import parse_request

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

MARGIN_SECONDS = 2.0
"""What stays of the function's time to report an error after everything has timed out."""

NAMESPACE = "Rekey"
"""Of the metrics. Stated here, as metrics without one would make a rotation that worked fail."""

Handler = Callable[[object, "LambdaContext"], dict[str, str] | None]

# Botocore logs whole requests at DEBUG, secret values included: whatever level the function's
# logging is set to, it stays above that.
for _name in ("botocore", "boto3", "urllib3"):
    logging.getLogger(_name).setLevel(logging.WARNING)


def rotation_handler(
    engine: str, step: Callable[[RotationRequest, Deadline], StepResult]
) -> Handler:
    """Return a Lambda handler that carries out ``step`` and reports it. Errors are raised again.

    Secrets Manager reads no answer. A state machine gets the outcome and the reason.

    Every invocation writes one structured line, and metrics with the dimensions engine, step and
    outcome: never a secret, and never a dimension by secret.
    """
    logger, metrics = Logger(), Metrics(namespace=NAMESPACE)

    def handler(event: object, context: "LambdaContext") -> dict[str, str] | None:
        report = _Report(logger, metrics, engine)
        try:
            request = report.about(parse_request(event))
            result = step(request, deadline(context))
        except RekeyError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - the text of a defect may hold a secret
            failure = UnexpectedFailure(f"{type(error).__name__} at {place(error)}")
        else:
            report.succeeded(result)
            return _answer(request, result)
        report.failed(failure)
        raise failure

    return handler


def _answer(request: RotationRequest, result: StepResult) -> dict[str, str] | None:
    if isinstance(request.step, WorkflowStep):
        return {"outcome": result.outcome.value, "reason": result.reason, **result.facts}
    return None


class _Report:
    """What one invocation tells the operator."""

    def __init__(self, logger: Logger, metrics: Metrics, engine: str) -> None:
        self._logger = logger
        self._metrics = metrics
        self._started = time.monotonic()
        self._keys: dict[str, Any] = {"engine": engine}

    def about(self, request: RotationRequest) -> RotationRequest:
        self._keys["secret_arn"] = request.secret_arn
        self._keys["version_id"] = request.token
        self._keys["step"] = request.step.value
        return request

    def succeeded(self, result: StepResult) -> None:
        if result.strategy is not None:
            self._keys["strategy"] = result.strategy.value
        self._write(result.outcome.value, result.reason, self._logger.info)

    def failed(self, error: RekeyError) -> None:
        self._write(type(error).__name__, str(error), self._logger.error)

    def _write(self, outcome: str, reason: str, log: Callable[..., None]) -> None:
        milliseconds = round((time.monotonic() - self._started) * 1000, 1)
        facts = {**self._keys, "outcome": outcome, "reason": reason, "duration_ms": milliseconds}
        log("rotation step", extra=facts)
        for dimension in ("engine", "step"):
            self._metrics.add_dimension(dimension, self._keys.get(dimension, "none"))
        self._metrics.add_dimension("outcome", outcome)
        self._metrics.add_metric("Steps", MetricUnit.Count, 1)
        self._metrics.add_metric("StepDuration", MetricUnit.Milliseconds, milliseconds)
        self._metrics.flush_metrics()


def deadline(context: "LambdaContext") -> Deadline:
    """Return by when an invocation must have done its work, to have time to report."""
    return Deadline.after(context.get_remaining_time_in_millis() / 1000 - MARGIN_SECONDS)


def place(error: BaseException) -> str:
    """Return file and line where an error arose: for the one who mends it, without its values."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
