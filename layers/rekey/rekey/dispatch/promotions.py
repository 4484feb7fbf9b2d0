"""What follows from AWSCURRENT having moved: after a dual-password rotation, a retirement."""

from dataclasses import dataclass
from enum import StrEnum, unique

from rekey.dispatch.events import Promotion
from rekey.errors import LabelMoved, SecretAccessDenied, SecretNotFound
from rekey.model import Execution, Label, SecretMetadata, Workflow, execution_name
from rekey.ports import RotationFunctions, SecretStore, Workflows
from rekey.rotation.retirement import Retirement, When, retirement


@dataclass(frozen=True)
class Dispatcher:
    """The world as ports, and how long consumers have after a rotation, in seconds.

    ``stale_seconds`` is how long a retirement waits beyond that for those that use the old version.
    """

    store: SecretStore
    functions: RotationFunctions
    workflows: Workflows
    grace_seconds: int
    stale_seconds: int


@unique
class Outcome(StrEnum):
    """What an event has led to."""

    STARTED = "started"
    STARTED_BEFORE = "started-before"
    IGNORED = "ignored"


@dataclass(frozen=True)
class Dispatched:
    """What an event has led to and why; ``execution`` is the name of the run. For the log."""

    outcome: Outcome
    reason: str
    execution: str = ""


def on_promotion(world: Dispatcher, promotion: Promotion) -> Dispatched:
    """Start the retirement that the promotion calls for, if it does. Harmless to repeat.

    Raises LabelMoved if Secrets Manager does not show the promotion yet: the event comes again.
    """
    try:
        metadata = world.store.describe(promotion.secret_arn)
    except SecretNotFound:
        return _ignored("The secret does not exist any more.")
    except SecretAccessDenied:
        # Whose resource policy denies this to the account has to admit our functions by name.
        return _ignored("The secret may not be described.")
    _check_seen(metadata, promotion.version_id)
    judged = retirement(metadata, promotion.version_id)
    if judged.when is When.NEVER:
        return _ignored(judged.reason)
    function = metadata.rotation_function
    if function is None or not world.functions.is_ours(function):
        return _ignored("The secret's rotation function is not one of Rekey.")
    return _start(world, promotion, judged, function)


def _check_seen(metadata: SecretMetadata, version_id: str) -> None:
    """A read may be older than the event. What stands on AWSPENDING has not been superseded."""
    labels = metadata.labels.get(version_id, frozenset())
    if Label.PENDING in labels and Label.CURRENT not in labels:
        raise LabelMoved("Secrets Manager does not show AWSCURRENT on the version yet.")


def _start(
    world: Dispatcher, promotion: Promotion, judged: Retirement, function: str
) -> Dispatched:
    wait = world.grace_seconds if judged.when is When.AFTER_GRACE else 0
    arn, version = promotion.secret_arn, promotion.version_id
    waits = {"waitSeconds": wait, "staleSeconds": world.stale_seconds}
    execution = Execution(
        Workflow.RETIRE,
        execution_name(Workflow.RETIRE, arn, version, str(judged.because_of)),
        {"secretId": arn, "versionId": version, "functionArn": function, **waits},
    )
    started = world.workflows.start(execution)
    outcome = Outcome.STARTED if started else Outcome.STARTED_BEFORE
    return Dispatched(outcome, judged.reason, execution.name)


def _ignored(reason: str) -> Dispatched:
    return Dispatched(Outcome.IGNORED, reason)
