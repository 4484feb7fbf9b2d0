"""What a record says, once it is understood."""

from dataclasses import dataclass
from enum import StrEnum, unique
from typing import NamedTuple

from rekey.access.network import Network
from rekey.access.principal import Principal
from rekey.access.tool import Tool


@unique
class Action(StrEnum):
    """What the caller wanted."""

    READ = "read"
    BATCH = "batch"
    LIST = "list"
    DESCRIBE = "describe"
    OTHER = "other"  # any other call that names a secret: of interest where that is a decoy
    DECRYPT = "decrypt"  # Secrets Manager, in the caller's name: the version was given out


@unique
class Outcome(StrEnum):
    """What came of it."""

    DONE = "done"
    DENIED = "denied"
    KEY_DENIED = "key-denied"
    NOT_FOUND = "not-found"
    FAILED = "failed"


class Access(NamedTuple):
    """One caller's touch of one secret; ``secret`` is None where the call names none.

    ``at`` is in whole seconds (epoch). ``version`` is the id that was asked for or given out,
    ``stage`` the label that was asked for. ``network`` and ``tool`` are None in a record that
    Secrets Manager makes in the caller's name: the call itself is another record. ``mfa`` is None
    where the record does not say. ``catch_all``: a batch whose filter lets everything pass.
    ``disarms``: it takes off the tag that makes a decoy.
    """

    event_id: str
    at: int
    action: Action
    outcome: Outcome
    principal: Principal
    network: Network | None
    tool: Tool | None
    region: str
    account: str
    secret: str | None = None
    version: str | None = None
    stage: str | None = None
    console: bool = False
    mfa: bool | None = None
    catch_all: bool = False
    disarms: bool = False


@dataclass(frozen=True, slots=True)
class Promotion:
    """AWSCURRENT moved: ``lost`` no longer has it since ``at`` (epoch), ``gained`` does.

    ``touches`` is the call itself, as that of somebody who handled the secret.
    """

    event_id: str
    at: int
    secret: str
    gained: str | None
    lost: str | None
    touches: tuple[Access, ...] = ()


@unique
class RefusalReason(StrEnum):
    """Why a record could not be understood; stands in the log beside what names the record."""

    NOT_AN_OBJECT = "not-an-object"
    NO_EVENT_ID = "no-event-id"
    NO_TIME = "no-time"
    NO_IDENTITY = "no-identity"
    NO_REGION = "no-region"
    NO_SECRET = "no-secret"  # noqa: S105 - a reason
    UNKNOWN_CALL = "unknown-call"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that was not understood. ``detail`` names it, and holds nothing of its values."""

    reason: RefusalReason
    detail: str


Normalised = tuple[Access, ...] | Promotion | Refusal
"""An empty tuple: understood, and no access (a check of a key, a service's own event)."""
