"""Logins on behalf of one rotation, counted so that a lock-out policy of three survives us."""

from dataclasses import dataclass, field

from rekey.credential import Credential
from rekey.errors import CredentialsRejected, TooManyRejectedLogins
from rekey.model import Deadline, Label, SecretVersion
from rekey.ports import Connection, Engine, SecretStore
from rekey.rotation.guards import START_ANEW

ALLOWED_REFUSALS = 2


@dataclass
class Logins:
    """Logs in, and remembers refusals in labels of the pending version.

    Secrets Manager repeats a failed rotation as often as it likes, each time in a fresh
    invocation. Only what is written down can keep the third wrong login from happening.
    """

    store: SecretStore
    engine: Engine
    deadline: Deadline
    secret_arn: str
    pending: SecretVersion
    refusals: int = field(init=False)

    def __post_init__(self) -> None:
        """Take over the count of earlier attempts."""
        labels = self.pending.labels
        self.refusals = 1 if Label.REFUSED_ONCE in labels else 0
        self.refusals = ALLOWED_REFUSALS if Label.REFUSED_TWICE in labels else self.refusals

    def connect(self, credential: Credential) -> Connection:
        """Log in with ``credential``.

        Raises CredentialsRejected, counted, and TooManyRejectedLogins instead of a third one.
        """
        if self.refusals >= ALLOWED_REFUSALS:
            raise TooManyRejectedLogins(
                "The server has refused the logins of this rotation twice; trying again could "
                f"lock the account. Make AWSCURRENT log in again. {START_ANEW}"
            )
        try:
            return self.engine.connect(credential, self.deadline)
        except CredentialsRejected:
            self._count()
            raise

    def _count(self) -> None:
        self.refusals += 1
        label = Label.REFUSED_ONCE if self.refusals == 1 else Label.REFUSED_TWICE
        holder = self.store.describe(self.secret_arn).holder(label)
        if holder != self.pending.version_id:
            self.store.move_label(
                self.secret_arn, label, to=self.pending.version_id, removed_from=holder
            )
