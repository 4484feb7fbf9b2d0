"""What can be seen of a secret whose rotation failed: labels, logins and circumstances."""

from dataclasses import dataclass
from enum import StrEnum, unique

from rekey.errors import (
    CredentialsRejected,
    DatabaseUnreachable,
    LockTimeout,
    PrivilegesDiffer,
    RekeyError,
    SecretsManagerFailure,
    SuperuserRejected,
    TooManyConnections,
    TooManyRejectedLogins,
)
from rekey.model import Happened, Strategy

PASSING = (DatabaseUnreachable, LockTimeout, SecretsManagerFailure, TooManyConnections)
"""Errors that go away without anybody's doing."""


@unique
class Login(StrEnum):
    """What became of one login with a version of the secret, or with the superuser.

    UNUSABLE is whatever neither time nor another attempt changes: an account that is locked, a
    value that cannot be read or is for another server or user, a version that Rekey did not write
    or that was rejected. UNTRIED spares the account: one more refusal might lock it.
    """

    WORKS = "logs in"
    LACKS_RIGHTS = "logs in without its rights"
    REFUSED = "is refused"
    UNREACHABLE = "gets no answer"
    UNUSABLE = "cannot be used"
    UNTRIED = "was not tried"
    ABSENT = "is not there"


@dataclass(frozen=True)
class Attempt:
    """One login, and the class of the error over which it failed."""

    login: Login
    error: str | None = None

    @classmethod
    def failed(cls, error: RekeyError) -> "Attempt":
        """Sort an error by what it means for the decision."""
        return cls(_meaning(error), type(error).__name__)

    def told(self, what: str) -> str:
        """Say it of ``what`` in a sentence."""
        return f"{what} {self.login}{f' ({self.error})' if self.error else ''}."


UNTRIED, ABSENT = Attempt(Login.UNTRIED), Attempt(Login.ABSENT)


def _meaning(error: RekeyError) -> Login:
    match error:
        case CredentialsRejected() | SuperuserRejected():
            return Login.REFUSED
        case PrivilegesDiffer():
            return Login.LACKS_RIGHTS
        case TooManyRejectedLogins():
            return Login.UNTRIED
        case _:
            return Login.UNREACHABLE if isinstance(error, PASSING) else Login.UNUSABLE


@dataclass(frozen=True)
class Observation:
    """Everything that the decision knows. Holds no value of the secret.

    ``pending`` is the version with AWSPENDING or, where that is gone, the one with REKEY_INTENT
    that an interrupted rotation left. ``labelled`` tells that AWSPENDING stands on another version
    than AWSCURRENT, and ``superseded`` that this is one of a rotation which began later.
    ``ended`` tells that the version that failed has been AWSCURRENT since, or was rejected: nothing
    is left to repeat. ``repeated`` tells that a failure of this version has been dealt with before.
    ``may_restore``: the tag of the superuser's secret names this user and this secret. ``failures``
    counts rotations that failed since the last one that succeeded, this one included, and
    ``retries`` how many of them are followed by another rotation.
    """

    happened: Happened
    current: Attempt
    pending: Attempt = ABSENT
    previous: Attempt = UNTRIED
    superuser: Attempt = UNTRIED
    labelled: bool = False
    superseded: bool = False
    ended: bool = False
    repeated: bool = False
    halted: bool = False
    may_restore: bool = False
    last_look: bool = False
    function: str | None = "Rekey's"
    ours: bool = True
    strategy: Strategy | None = None
    failures: int = 0
    retries: int = 1

    def attempts(self) -> dict[str, Attempt]:
        """Return the logins under the names that reasons use."""
        return {
            "AWSCURRENT": self.current,
            "The pending version": self.pending,
            "AWSPREVIOUS": self.previous,
            "The superuser": self.superuser,
        }
