"""What decisions need of the outside world. Adapters under ``aws`` and ``engines`` provide it."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from rekey.credential import Credential
from rekey.model import Deadline, Execution, Label, SecretMetadata, SecretVersion, Strategy


class SecretStore(Protocol):
    """Secrets Manager, one call a method.

    All methods raise SecretNotFound, SecretAccessDenied or SecretsManagerFailure.
    """

    def describe(self, secret_id: str) -> SecretMetadata:
        """DescribeSecret."""
        ...

    def get_labelled(self, secret_id: str, label: Label) -> SecretVersion:
        """GetSecretValue of the version that carries ``label``."""
        ...

    def get_version(
        self, secret_id: str, version_id: str, label: Label | None = None
    ) -> SecretVersion | None:
        """GetSecretValue by id. With ``label``, the call proves that the version carries it.

        Return None if there is no such version, it has no value, or not that label.
        """
        ...

    def put_version(
        self,
        secret_id: str,
        version: SecretVersion,
        *,
        rotation_token: str | None,
    ) -> bool:
        """PutSecretValue under ``version.version_id`` as client request token, with its labels.

        Idempotent by token. Return False, changing nothing, if the token already has another
        value (ResourceExistsException).
        """
        ...

    def move_label(
        self, secret_id: str, label: Label, *, to: str | None, removed_from: str | None
    ) -> None:
        """UpdateSecretVersionStage: a compare-and-swap on ``removed_from``.

        Raises LabelMoved if another version holds the label.
        """
        ...


class SuperuserSource(Protocol):
    """Where the credential of a superuser comes from."""

    def superuser(self, arn: str, current: Credential) -> Credential:
        """Read the superuser secret ``arn``, as needed for the server of ``current``.

        Raises SecretNotFound, SecretAccessDenied, InvalidSecretValue, SecretsManagerFailure.
        """
        ...


@dataclass(frozen=True)
class PeerChange:
    """The whole wanted end of a change to one of two alternating users.

    ``base`` is the authority: only ``clone`` is ever converged towards it. ``pending`` is the one
    of the two that gets ``password``; the other one is in use. Where an engine has several accounts
    of one name, they differ by the client's host: without ``all_hosts`` there must be only one.
    """

    base: str
    clone: str
    pending: str
    password: str = field(repr=False)
    all_hosts: bool = False


@dataclass(frozen=True)
class TwoPasswords:
    """The whole wanted end of a dual-password change: both of these log in, and no other does.

    ``current`` is the password in AWSCURRENT: it logs in before, while and after the change is
    made, from whatever state the account is in. For ``all_hosts`` see PeerChange.
    """

    username: str
    current: str = field(repr=False)
    pending: str = field(repr=False)
    all_hosts: bool = False


@dataclass(frozen=True)
class OnePassword:
    """The whole wanted end of a retirement: ``password`` logs in, and no other does."""

    username: str
    password: str = field(repr=False)
    all_hosts: bool = False


class Connection(Protocol):
    """One login on a server, as a context manager that ends it."""

    def set_password(self, username: str, password: str, *, all_hosts: bool = False) -> None:
        """Give ``username`` a new password. Repeating it is harmless.

        For ``all_hosts`` see PeerChange.
        """
        ...

    def check_own_password(self, *, all_hosts: bool) -> None:
        """Check that the login can change its own password, as far as that shows before.

        Raises UnsupportedStrategy, PlaintextRefused, AmbiguousAccount or ReadOnlyEndpoint. Changes
        nothing.
        """
        ...

    def provide_peer(self, change: PeerChange) -> None:
        """Make ``change.pending`` able to log in with exactly the rights of ``change.base``.

        All or nothing, and harmless to repeat. Raises PrivilegesDiffer before anything is
        touched if the clone has rights that the base user lacks and that cannot be taken away.
        """
        ...

    def alone(self, username: str) -> AbstractContextManager[None]:
        """Lock on the server, among all that change the passwords of ``username``.

        It is given back at the end of the block, and by the server when the connection ends.
        Raises LockTimeout.
        """
        ...

    def check_two_passwords(self, username: str, *, all_hosts: bool) -> None:
        """Check that the user can have two passwords, and that this login may give it them.

        Raises UnsupportedStrategy or MissingPrivilege, which say what to change or to grant,
        UserMissing and AmbiguousAccount. Changes nothing.
        """
        ...

    def set_two_passwords(self, change: TwoPasswords) -> None:
        """Let both passwords log in. Inside ``alone``; harmless to repeat.

        Checks first what check_two_passwords checks.
        """
        ...

    def retire(self, change: OnePassword) -> None:
        """Make every other password of the user stop working. Inside ``alone``."""
        ...

    def check_identity(self, username: str, acts_as: str) -> None:
        """Check that the login is ``username`` and that it acts as ``acts_as``.

        Raises PrivilegesDiffer.
        """
        ...

    def close(self) -> None:
        """End the login. Never raises."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Engine(Protocol):
    """A kind of server. It chooses no passwords, retries nothing and decides nothing."""

    @property
    def name(self) -> str:
        """What logs and metrics call it."""
        ...

    @property
    def names(self) -> frozenset[str]:
        """Values of the secret's key ``engine`` that it serves."""
        ...

    @property
    def strategies(self) -> frozenset[Strategy]:
        """Strategies that it can carry out."""
        ...

    @property
    def clone_suffix(self) -> str:
        """What the second of two alternating users has at the end of its name."""
        ...

    @property
    def max_username_bytes(self) -> int:
        """Longest user name, in bytes of UTF-8."""
        ...

    @property
    def default_port(self) -> int:
        """Port of a secret that names none."""
        ...

    @property
    def superuser_opens_database(self) -> bool:
        """Whether a superuser works in the application's database, and so has to connect to it."""
        ...

    def connect(self, credential: Credential, deadline: Deadline) -> Connection:
        """Log in. Raises LoginError or DatabaseError, sorted by cause, before the deadline."""
        ...


class SecretCatalogue(Protocol):
    """Secrets of the account and region, without their values."""

    def describe(self, secret_id: str) -> SecretMetadata:
        """See SecretStore."""
        ...

    def tagged(self, key: str, value: str) -> Iterator[SecretMetadata]:
        """Return all that carry exactly this tag. Raises SecretsManagerFailure."""
        ...


class Documents(Protocol):
    """JSON documents of a campaign, by key. Raises CampaignFailure."""

    def write(self, key: str, document: object) -> str:
        """Store it, in place of what stood there, and return where people find it."""
        ...

    def read(self, key: str) -> Any:
        """Return what was stored."""
        ...

    def each(self, key: str) -> Iterator[Any]:
        """Return the objects of a stored array, one by one: it may be larger than the memory."""
        ...


class Alarms(Protocol):
    """Alarms of CloudWatch, by name. Raises CampaignFailure."""

    def missing(self, names: Sequence[str]) -> list[str]:
        """Return those that do not exist."""
        ...

    def ringing(self, names: Sequence[str]) -> list[str]:
        """Return those in the state ALARM."""
        ...


class RotationFunctions(Protocol):
    """What can be told about rotation functions, of this stack or another."""

    def is_ours(self, arn: str) -> bool:
        """Tell whether the function is one of Rekey: it carries the tag ``rekey:function``.

        A function of another account, or one that is gone, is not. Raises LambdaFailure.
        """
        ...


class Workflows(Protocol):
    """Where workflows run."""

    def start(self, execution: Execution) -> bool:
        """Start it. Return False if one of that name runs or has run (names last 90 days).

        Raises StepFunctionsFailure.
        """
        ...
