"""Start the recovery of a rotation that failed. The workflow finds out whether it may act."""

from rekey.dispatch.failures import Failure
from rekey.dispatch.promotions import Dispatched, Dispatcher, Outcome
from rekey.model import Execution, Workflow, execution_name


def on_failure(world: Dispatcher, failed: Failure) -> Dispatched:
    """Start it under a name made from the event: a repeated delivery starts nothing.

    Raises StepFunctionsFailure.
    """
    about = {"secretId": failed.secret_arn, "happened": failed.happened.value}
    execution = Execution(
        Workflow.RECOVER,
        execution_name(Workflow.RECOVER, failed.secret_arn, failed.version_id, failed.event_id),
        {**about, "versionId": failed.version_id} if failed.version_id else about,
    )
    started = world.workflows.start(execution)
    outcome = Outcome.STARTED if started else Outcome.STARTED_BEFORE
    return Dispatched(outcome, f"A recovery looks at it: {failed.happened}.", execution.name)
