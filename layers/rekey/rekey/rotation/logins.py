"""Logins on behalf of one rotation, counted so that a lock-out policy of three survives us."""

from dataclasses import dataclass, field
from enum import Enum, unique

from rekey.credential import Credential
from rekey.errors import CredentialsRejected, TooManyRejectedLogins
from rekey.model import Deadline, Label, SecretVersion
from rekey.ports import Connection, Engine, SecretStore
from rekey.rotation.guards import START_ANEW

ALLOWED_REFUSALS = 2


@unique
class Account(Enum):
    """Whose logins are counted, and the labels that tell the count."""

    APPLICATION = (Label.REFUSED_ONCE, Label.REFUSED_TWICE)
    SUPERUSER = (Label.SUPERUSER_REFUSED_ONCE, Label.SUPERUSER_REFUSED_TWICE)


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
    _refusals: dict[Account, int] = field(init=False)

    def __post_init__(self) -> None:
        """Take over the counts of earlier attempts."""
        self._refusals = {account: self._written_down(account) for account in Account}

    def refusals(self, account: Account = Account.APPLICATION) -> int:
        """Return how many logins the server has refused to this rotation."""
        return self._refusals[account]

    def connect(self, credential: Credential, account: Account = Account.APPLICATION) -> Connection:
        """Log in with ``credential``.

        Raises CredentialsRejected, counted, and TooManyRejectedLogins instead of a third one.
        """
        if self._refusals[account] >= ALLOWED_REFUSALS:
            raise TooManyRejectedLogins(
                f"The server has refused {credential.username} to this rotation twice; trying "
                "again could lock the account. Make sure that what the secret says logs in. "
                f"{START_ANEW}"
            )
        try:
            return self.engine.connect(credential, self.deadline)
        except CredentialsRejected:
            self._count(account)
            raise

    def _written_down(self, account: Account) -> int:
        counts = [n for n, label in enumerate(account.value, 1) if label in self.pending.labels]
        return max(counts, default=0)

    def _count(self, account: Account) -> None:
        self._refusals[account] += 1
        label = account.value[self._refusals[account] - 1]
        holder = self.store.describe(self.secret_arn).holder(label)
        if holder != self.pending.version_id:
            self.store.move_label(
                self.secret_arn, label, to=self.pending.version_id, removed_from=holder
            )
