"""What the steps work with, and what they answer."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rekey.credential import Credential
from rekey.model import Deadline, Label, Outcome, RotationRequest, SecretVersion, StepResult
from rekey.ports import Engine, SecretStore, SuperuserSource
from rekey.rotation.guards import check_engine, check_host
from rekey.rotation.logins import Logins

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
        """The id of the version that the step is about: while rotating, the pending one."""
        return self.request.token

    def credential(self, version: SecretVersion) -> Credential:
        """Parse a version's value and check that the function serves its engine and its host."""
        what = Label.CURRENT if Label.CURRENT in version.labels else Label.PENDING
        credential = Credential.parse(version.value, what=what)
        check_engine(credential, self.engine)
        check_host(credential)
        return credential

    def logins(self, pending: SecretVersion | None) -> Logins:
        """Return the counted logins of this rotation; without a version, of this invocation."""
        return Logins(self.store, self.engine, self.deadline, self.arn, pending)
