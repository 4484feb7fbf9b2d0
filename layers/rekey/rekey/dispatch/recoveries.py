"""Start the recovery of a rotation that failed. The workflow finds out whether it may act."""

from datetime import timedelta

from rekey.dispatch.failures import Failure
from rekey.dispatch.promotions import Dispatched, Dispatcher, Outcome
from rekey.errors import SecretAccessDenied, SecretNotFound
from rekey.model import Execution, Workflow, execution_name

RECORDED = timedelta(seconds=1)
"""Records tell whole seconds: what failed may have done so until the next one."""


def on_failure(world: Dispatcher, failed: Failure) -> Dispatched:
    """Start it under a name made from the event: a repeated delivery starts nothing.

    Nothing is left to recover if a rotation has succeeded since: the event came late. Raises
    SecretsManagerFailure, StepFunctionsFailure.
    """
    if (over := _over(world, failed)) is not None:
        return Dispatched(Outcome.IGNORED, over)
    about = {
        "secretId": failed.secret_arn,
        "happened": failed.happened.value,
        "failedAt": failed.when.isoformat(),
    }
    execution = Execution(
        Workflow.RECOVER,
        execution_name(Workflow.RECOVER, failed.secret_arn, failed.version_id, failed.event_id),
        {**about, "versionId": failed.version_id} if failed.version_id else about,
    )
    started = world.workflows.start(execution)
    outcome = Outcome.STARTED if started else Outcome.STARTED_BEFORE
    return Dispatched(outcome, f"A recovery looks at it: {failed.happened}.", execution.name)


def _over(world: Dispatcher, failed: Failure) -> str | None:
    """Return why the failure is nobody's business any more; None if it is."""
    try:
        rotated = world.store.describe(failed.secret_arn).rotated
    except SecretNotFound:
        return "The secret does not exist any more."
    except SecretAccessDenied:
        return None
    if rotated is not None and rotated >= failed.when + RECORDED:
        return "A rotation has succeeded since."
    return None
