"""What the steps work with, and what they answer."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum, unique

from rekey.credential import Credential
from rekey.model import Deadline, Label, RotationRequest, SecretVersion, Strategy
from rekey.ports import Engine, SecretStore, SuperuserSource
from rekey.rotation.guards import check_engine
from rekey.rotation.logins import Logins


@unique
class Outcome(StrEnum):
    """What a step did."""

    DONE = "done"
    NOTHING_TO_DO = "nothing-to-do"


@dataclass(frozen=True)
class StepResult:
    """What a step did and why, for the log and the metrics. Holds no secret."""

    outcome: Outcome
    reason: str
    strategy: Strategy | None = None


ALREADY_CURRENT = StepResult(Outcome.NOTHING_TO_DO, "The version is AWSCURRENT already.")


@dataclass(frozen=True)
class Rotation:
    """One invocation of a rotation function: its request, and the world as ports."""

    request: RotationRequest
    store: SecretStore
    superusers: SuperuserSource
    engine: Engine
    new_password: Callable[[], str]
    deadline: Deadline
    sleep: Callable[[float], None] = field(default=time.sleep)

    @property
    def arn(self) -> str:
        """The secret's ARN."""
        return self.request.secret_arn

    @property
    def token(self) -> str:
        """The client request token, which is the id of the pending version."""
        return self.request.token

    def credential(self, version: SecretVersion) -> Credential:
        """Parse a version's value and check that the function serves its engine."""
        what = Label.CURRENT if Label.CURRENT in version.labels else Label.PENDING
        credential = Credential.parse(version.value, what=what)
        check_engine(credential, self.engine)
        return credential

    def logins(self, pending: SecretVersion) -> Logins:
        """Return the counted logins of this rotation."""
        return Logins(self.store, self.engine, self.deadline, self.arn, pending)
