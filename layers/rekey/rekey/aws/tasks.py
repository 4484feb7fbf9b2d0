"""Around each task that a state machine asks a function for: one log line and clean errors."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from rekey.aws.invocation import place
from rekey.errors import InvalidEvent, RekeyError, UnexpectedFailure

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

Facts = dict[str, Any]


def task_handler(
    run: Callable[[dict[str, Any]], Facts],
) -> "Callable[[object, LambdaContext], Facts]":
    """Return a Lambda handler that carries out ``run`` and reports it. Errors are raised again."""
    logger = Logger()

    def handler(event: object, context: "LambdaContext") -> Facts:
        del context
        about = _about(event)
        try:
            if not isinstance(event, dict):
                raise InvalidEvent("The event is not a JSON object.")  # noqa: TRY301 - reported
            facts = run(event)
        except RekeyError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - the text of a defect may hold anything
            failure = UnexpectedFailure(f"{type(error).__name__} at {place(error)}")
        else:
            logger.info("task", extra={**about, "outcome": "done"})
            return facts
        said = {"outcome": type(failure).__name__, "reason": str(failure)}
        logger.error("task", extra={**about, **said})
        raise failure

    return handler


def _about(event: object) -> dict[str, str]:
    known = event if isinstance(event, dict) else {}
    return {key: str(known.get(key, "")) for key in ("task", "execution")}
