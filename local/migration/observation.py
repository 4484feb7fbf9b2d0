"""What was seen of one secret: facts, without an opinion about them.

Where Rekey itself would fail to see something, the fact is the error that it would raise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique

from rekey.credential import Credential
from rekey.errors import RekeyError
from rekey.model import Label, SecretMetadata


@unique
class Origin(StrEnum):
    """Where a rotation function comes from, as far as its configuration tells."""

    REKEY = "Rekey"
    AWS_TEMPLATE = "AWS's template"
    OTHER = "other"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class RotationFunction:
    """The function that a secret names now."""

    arn: str
    origin: Origin
    for_single_user: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Superuser:
    """The secret that the key ``masterarn`` names."""

    arn: str
    credential: Credential | RekeyError
    tagged: bool
    listed: bool


@dataclass(frozen=True)
class Place:
    """A schema or database as GRANT names it, in one of the server's databases."""

    name: str
    database: str


@dataclass(frozen=True)
class Peer:
    """The two alternating users as the superuser sees them; nothing here was tried by changing.

    ``not_administered``: roles that the superuser needs ADMIN OPTION on and has not.
    ``needs_create``: where the base user would have to be able to create what it is to be given.
    ``settings`` and ``attributes`` may not be copied to the clone. ``differs`` is what the
    engine's own check of the clone raised.
    """

    superuser: str
    base: str
    base_exists: bool = True
    base_expired: bool = False
    clone_exists: bool = False
    clone_acts_as_itself: bool = False
    may_create_roles: bool = True
    not_administered: tuple[str, ...] = ()
    owns_in: tuple[str, ...] = ()
    needs_create: tuple[Place, ...] = ()
    needs_inherit: bool = False
    settings: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    differs: RekeyError | None = None


@dataclass(frozen=True)
class Database:
    """What the server said.

    ``passwords_restricted``: on RDS, rds.restrict_password_commands is on and the user is no
    member of rds_password.
    """

    login: RekeyError | None = None
    passwords_restricted: bool = False
    superuser_login: RekeyError | None = None
    peer: Peer | None = None


@dataclass(frozen=True)
class Secret:
    """One secret that has a rotation function.

    ``credential`` is None if values were not to be read, ``database`` if it was not to be
    connected to, or could not be for what else was seen.
    """

    name: str
    metadata: SecretMetadata
    function: RotationFunction
    has_schedule: bool = True
    kms_key: str | None = None
    credential: Credential | RekeyError | None = None
    superuser: Superuser | None = None
    database: Database | None = None

    @property
    def stuck(self) -> str | None:
        """The version that AWSPENDING stands on, unless it is AWSCURRENT itself."""
        pending = self.metadata.holder(Label.PENDING)
        return None if pending == self.metadata.holder(Label.CURRENT) else pending


@dataclass(frozen=True)
class Stack:
    """The deployed application: its functions by engine, what its parameters admit.

    ``functions`` is empty if the application is not deployed yet.
    """

    functions: Mapping[str, str] = field(default_factory=dict)
    superuser_arns: frozenset[str] = frozenset()
    kms_keys: frozenset[str] = frozenset()
