"""Which workflow an event asks for: at most one, under a name made from what happened.

Events come at least once, in any order, and for every secret of the account. Whatever is decided
here may be decided again, about a secret that has changed since.
"""

from rekey.dispatch.events import parse_event
from rekey.dispatch.failures import Failure
from rekey.dispatch.promotions import Dispatched, Dispatcher, Outcome, on_promotion
from rekey.dispatch.recoveries import on_failure

__all__ = ["Dispatched", "Dispatcher", "Outcome", "dispatch"]


def dispatch(world: Dispatcher, message: object) -> dict[str, str]:
    """Do what the event asks for, and return the facts for the log; ``outcome`` is one of them.

    Raises InvalidEvent, LabelMoved, SecretsManagerFailure, LambdaFailure, StepFunctionsFailure.
    """
    event = parse_event(message)
    done = on_failure(world, event) if isinstance(event, Failure) else on_promotion(world, event)
    about = {"secret_arn": event.secret_arn, "version_id": event.version_id}
    return {**about, "outcome": done.outcome, "reason": done.reason, "execution": done.execution}
