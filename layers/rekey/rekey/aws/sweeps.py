"""Around each part of a sweep: the time limit, one log line, metrics, and clean errors."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from rekey.aws.invocation import NAMESPACE, deadline, place
from rekey.errors import RekeyError, UnexpectedFailure
from rekey.model import Deadline
from rekey.watched import Progress

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

Handler = Callable[[object, "LambdaContext"], dict[str, object]]


def sweep_handler(run: Callable[[Deadline], Progress]) -> Handler:
    """Return a Lambda handler that goes on with the sweep. The event says nothing but "go on".

    The metric SweepsFinished counts each invocation that finds the day's sweep over: it stops when
    sweeps do, which an alarm can tell.
    """
    logger, metrics = Logger(), Metrics(namespace=NAMESPACE)

    def handler(_: object, context: "LambdaContext") -> dict[str, object]:
        try:
            progress = run(deadline(context))
        except RekeyError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - the text of a defect may hold anything
            failure = UnexpectedFailure(f"{type(error).__name__} at {place(error)}")
        else:
            facts = _facts(progress)
            logger.info("sweep", extra=facts)
            metrics.add_metric("SweepsFinished", MetricUnit.Count, int(progress.token is None))
            metrics.flush_metrics()
            return facts
        reason = {"outcome": type(failure).__name__, "reason": str(failure)}
        logger.error("sweep", extra=reason)
        raise failure

    return handler


def _facts(progress: Progress) -> dict[str, object]:
    return {
        "outcome": "finished" if progress.token is None else "goes-on",
        "begun": progress.begun.isoformat(timespec="seconds"),
        "secrets": progress.secrets,
        "findings": progress.findings,
    }
