"""The nouns of Rekey: values without behaviour that reaches outside."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, unique
from hashlib import sha256
from typing import Self


@unique
class Step(StrEnum):
    """What Secrets Manager asks a rotation function to do.

    Source: AWS Secrets Manager User Guide, "Lambda rotation functions".
    """

    CREATE = "createSecret"
    SET = "setSecret"
    TEST = "testSecret"
    FINISH = "finishSecret"


@unique
class WorkflowStep(StrEnum):
    """What our own state machines ask a rotation function to do, besides Secrets Manager's steps.

    The same function, so that each engine's knowledge stands in one place.
    """

    RETIRE = "retire"
    DIAGNOSE = "diagnose"
    VERIFY = "verify"
    CLEAR = "clear"
    ROLL_FORWARD = "rollForward"
    ROLL_BACK = "rollBack"
    RESTORE = "restore"
    CHECK = "check"
    FOLLOW = "follow"
    SURVEY = "survey"


@unique
class Happened(StrEnum):
    """What a recovery starts from. Secrets Manager's own event names only the step that failed."""

    CREATE_FAILED = "createSecret failed"
    SET_FAILED = "setSecret failed"
    TEST_FAILED = "testSecret failed"
    FINISH_FAILED = "finishSecret failed"
    TEST_ROTATION_FAILED = "a test rotation failed"
    ABANDONED = "the rotation was abandoned"
    STUCK = "the rotation is overdue or stuck"
    BY_HAND = "a person asked"


@unique
class Strategy(StrEnum):
    """How a new password reaches consumers; values of the tag ``rekey:strategy``."""

    SINGLE_USER = "single-user"
    ALTERNATING_USERS = "alternating-users"
    DUAL_PASSWORD = "dual-password"  # noqa: S105 - the name of a strategy


@unique
class Label(StrEnum):
    """Staging labels: Secrets Manager's own, and ours.

    ``REKEY_INTENT`` is put next to AWSPENDING when a value is first stored and survives when the
    service takes AWSPENDING away. ``REKEY_REJECTED`` rules a version out for good. The labels
    named after strategies tell later steps what createSecret chose. ``REKEY_REFUSED_1`` and
    ``_2`` count the logins that the server refused to this rotation; after the second, no step
    of it logs in again. The superuser's logins are counted apart. ``REKEY_ALL_HOSTS`` tells later
    steps what the tag ``rekey:hosts`` asked for. ``REKEY_RETIRE_FIRST`` tells them that the user
    may still have two passwords from a time when its strategy was dual-password.
    """

    CURRENT = "AWSCURRENT"
    PENDING = "AWSPENDING"
    PREVIOUS = "AWSPREVIOUS"
    INTENT = "REKEY_INTENT"
    REJECTED = "REKEY_REJECTED"
    SINGLE_USER = "REKEY_SINGLE_USER"
    ALTERNATING_USERS = "REKEY_ALTERNATING_USERS"
    DUAL_PASSWORD = "REKEY_DUAL_PASSWORD"  # noqa: S105 - the name of a label
    REFUSED_ONCE = "REKEY_REFUSED_1"
    REFUSED_TWICE = "REKEY_REFUSED_2"
    SUPERUSER_REFUSED_ONCE = "REKEY_SUPERUSER_REFUSED_1"
    SUPERUSER_REFUSED_TWICE = "REKEY_SUPERUSER_REFUSED_2"
    ALL_HOSTS = "REKEY_ALL_HOSTS"
    RETIRE_FIRST = "REKEY_RETIRE_FIRST"


STRATEGY_LABELS = {
    Strategy.SINGLE_USER: Label.SINGLE_USER,
    Strategy.ALTERNATING_USERS: Label.ALTERNATING_USERS,
    Strategy.DUAL_PASSWORD: Label.DUAL_PASSWORD,
}


def chosen_strategy(labels: frozenset[str]) -> Strategy | None:
    """Return the strategy that the labels of a version tell, if createSecret wrote it."""
    if Label.INTENT not in labels:
        return None
    return next((s for s, label in STRATEGY_LABELS.items() if label in labels), None)


@dataclass(frozen=True)
class Circumstances:
    """What a recovery knows that the secret does not show; see recovery.Observation.

    ``by_person`` tells that a person asked for this very step, and ``refused`` which versions the
    server has refused to this very recovery, which waited for something else since. ``repeated``
    tells that a failure of the same version has been counted before.
    """

    happened: Happened = Happened.BY_HAND
    last_look: bool = False
    by_person: bool = False
    refused: frozenset[Label] = frozenset()
    repeated: bool = False
    failures: int = 0
    retries: int = 1


@dataclass(frozen=True)
class RotationRequest:
    """One invocation. ``token`` is the id of the version that it is about.

    Secrets Manager asks for a Step: the version is the pending one, and its id the client request
    token. A state machine asks for a WorkflowStep: for retire the version is the one whose
    promotion started it, for diagnose the one that failed, for restore and verify AWSCURRENT, for
    clear the one with AWSPENDING, for rollForward the one to promote, for rollBack the one to
    reject, and for follow the one that a rotation was started for; check and survey take any.
    ``rotation_token`` is sensitive and goes along with PutSecretValue, nowhere else.
    """

    step: Step | WorkflowStep
    secret_arn: str
    token: str
    rotation_token: str | None = field(default=None, repr=False)
    circumstances: Circumstances = Circumstances()


HALTED_TAG = "rekey:halted"
"""On a secret whose rotations keep failing. ``recover`` writes a time as its value."""


def is_halted(tags: Mapping[str, str]) -> bool:
    """Tell whether a person has to look before anything is done. The value ``false`` says no."""
    return tags.get(HALTED_TAG, "false") != "false"


@dataclass(frozen=True)
class SecretMetadata:
    """What DescribeSecret says: labels by version id, tags, whether rotation is on, and by whom.

    ``rotation_function`` is the ARN of the function that rotates the secret, whoever's it is, and
    ``rotated`` when a rotation last succeeded (aware).
    """

    arn: str
    rotation_enabled: bool
    labels: Mapping[str, frozenset[str]]
    tags: Mapping[str, str]
    rotation_function: str | None = None
    rotated: datetime | None = None

    def holder(self, label: Label) -> str | None:
        """Return the id of the version that carries ``label``."""
        return next((version for version, held in self.labels.items() if label in held), None)

    def strategy(self, version_id: str) -> Strategy | None:
        """Return the strategy that createSecret chose for a version."""
        return chosen_strategy(self.labels[version_id])


@dataclass(frozen=True)
class SecretVersion:
    """One version of a secret with its value, its labels, and when it was written (epoch)."""

    version_id: str
    labels: frozenset[str]
    value: str = field(repr=False)
    created: float = field(default=0.0, compare=False)

    @property
    def strategy(self) -> Strategy | None:
        """The strategy that createSecret chose; None if it has not written this version."""
        return chosen_strategy(self.labels)


@dataclass(frozen=True)
class Deadline:
    """A point on the monotonic clock by which everything must have answered."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Self:
        """Return the deadline ``seconds`` from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Return the seconds left; negative once it has passed."""
        return self.at - time.monotonic()

    def at_most(self, seconds: float) -> "Deadline":
        """Return the earlier of this deadline and ``seconds`` from now."""
        return Deadline(min(self.at, time.monotonic() + seconds))


@unique
class Outcome(StrEnum):
    """What a step did.

    Of retire: HELD waits for a person, BUSY for a rotation that is under way, and after
    SUPERSEDED there is nothing to wait for. Of follow: ROTATING, and ENDED without success.
    """

    DONE = "done"
    NOTHING_TO_DO = "nothing-to-do"
    RETIRED = "retired"
    HELD = "held"
    SUPERSEDED = "superseded"
    BUSY = "busy"
    ROTATING = "rotating"
    ENDED = "ended"


@dataclass(frozen=True)
class StepResult:
    """What a step did and why, for the log and the metrics. Holds no secret.

    ``facts`` is what a state machine gets besides: version ids, and words of closed sets.
    """

    outcome: Outcome
    reason: str
    strategy: Strategy | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@unique
class Workflow(StrEnum):
    """Our state machines, by the names of their files under ``statemachines``."""

    RETIRE = "retire"
    RECOVER = "recover"
    ROTATE = "rotate"


@dataclass(frozen=True)
class Execution:
    """A run of a workflow. ``name`` is made from what happened: the same event, the same name.

    ``input`` holds ARNs, version ids and seconds only, as many may read the history of a run.
    """

    workflow: Workflow
    name: str
    input: Mapping[str, str | int]


def execution_name(workflow: Workflow, *what: str) -> str:
    """Return a name for what happened, of the 80 characters at most that Step Functions takes."""
    return f"{workflow}-{sha256('|'.join(what).encode()).hexdigest()}"
