"""Logins on behalf of one rotation, counted so that a lock-out policy of three survives us."""

from dataclasses import dataclass, field
from enum import Enum, unique

from rekey.credential import Credential
from rekey.errors import CredentialsRejected, LabelMoved, TooManyRejectedLogins
from rekey.model import Deadline, Label, SecretMetadata, SecretVersion
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
    invocation. Only what is written down can keep the third wrong login from happening. A second
    invocation may write at the same time: whoever was refused reads again before the next login.
    Without a version they are counted within this invocation only.
    """

    store: SecretStore
    engine: Engine
    deadline: Deadline
    secret_arn: str
    pending: SecretVersion | None
    _refusals: dict[Account, int] = field(init=False)

    def __post_init__(self) -> None:
        """Take over the counts of earlier attempts."""
        self._refusals = {account: self._written_down(account) for account in Account}

    def refusals(self, account: Account = Account.APPLICATION) -> int:
        """Return how many logins the server has refused to this rotation."""
        return self._refusals[account]

    def connect(
        self,
        credential: Credential,
        account: Account = Account.APPLICATION,
        *,
        first_of_two: bool = False,
    ) -> Connection:
        """Log in with ``credential``.

        ``first_of_two`` says that, once it is refused, another password is the only one to be
        tried. If two invocations are refused it at once, that counts as one: the other password,
        which may be the right one, could not be tried any more. Only who came first goes on.

        Raises CredentialsRejected, counted, and TooManyRejectedLogins instead of a third one;
        LabelMoved to who came second.
        """
        if self._refusals[account] and self.pending is not None:
            self._read_again(account, self.pending)
        if self._refusals[account] >= ALLOWED_REFUSALS:
            raise TooManyRejectedLogins(
                f"The server has refused {credential.username} to this rotation twice; trying "
                "again could lock the account. Make sure that what the secret says logs in. "
                f"{START_ANEW}"
            )
        try:
            return self.engine.connect(credential, self.deadline)
        except CredentialsRejected:
            if self.pending is None:
                self._refusals[account] += 1
                raise
            known = self._refusals[account]
            metadata = self._read_again(account, self.pending)
            if first_of_two and self._refusals[account] > known:
                raise LabelMoved(
                    "The same login has just been refused to another invocation of this step. "
                    "Secrets Manager repeats the rotation."
                ) from None
            self._count(account, self.pending, metadata)
            raise

    def forget(self) -> None:
        """Count the application's logins anew, as the server does once it has let the user in."""
        refusals, self._refusals[Account.APPLICATION] = self._refusals[Account.APPLICATION], 0
        if self.pending is None or not refusals:
            return
        version, metadata = self.pending.version_id, self.store.describe(self.secret_arn)
        for label in Account.APPLICATION.value:
            if metadata.holder(label) == version:
                self.store.move_label(self.secret_arn, label, to=None, removed_from=version)

    def _written_down(self, account: Account) -> int:
        return 0 if self.pending is None else _told(account, self.pending.labels)

    def _read_again(self, account: Account, pending: SecretVersion) -> SecretMetadata:
        """See what other invocations have counted meanwhile."""
        metadata = self.store.describe(self.secret_arn)
        labels = metadata.labels.get(pending.version_id, frozenset())
        self._refusals[account] = max(self._refusals[account], _told(account, labels))
        return metadata

    def _count(self, account: Account, pending: SecretVersion, metadata: SecretMetadata) -> None:
        if self._refusals[account] >= ALLOWED_REFUSALS:
            return  # It says so already.
        label = account.value[self._refusals[account]]
        self._refusals[account] += 1
        holder = metadata.holder(label)
        if holder != pending.version_id:
            self.store.move_label(
                self.secret_arn, label, to=pending.version_id, removed_from=holder
            )


def _told(account: Account, labels: frozenset[str]) -> int:
    counts = [n for n, label in enumerate(account.value, 1) if label in labels]
    return max(counts, default=0)
