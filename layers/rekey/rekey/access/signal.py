"""What can be unusual about an access, how much each weighs, and what they come to together."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class SignalKind(StrEnum):
    NEW_READER = "new-reader"
    BURST = "burst"
    SPREAD = "spread"
    NEW_NETWORK = "new-network"
    NEW_TOOL = "new-tool"
    NO_MFA = "no-mfa"
    DENIED_PROBING = "denied-probing"
    LISTED_THEN_READ = "listed-then-read"
    CATCH_ALL_BATCH = "catch-all-batch"
    BATCHES = "batches"
    REGIONS = "regions"
    PENDING_READ = "pending-read"
    OLD_VERSION = "old-version"
    FOREIGN_ACCOUNT = "foreign-account"
    ROOT = "root"
    DECOY = "decoy"
    KEY_DENIED = "key-denied"
    DEPLOYMENT = "deployment"
    ODD_HOUR = "odd-hour"
    SILENCE = "silence"


WEAK = frozenset(
    {SignalKind.NO_MFA, SignalKind.ODD_HOUR, SignalKind.SILENCE, SignalKind.OLD_VERSION}
)
"""They never make a finding by themselves."""


@unique
class Level(StrEnum):
    """How much a person should hurry; the values are those of an alert's severity."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


LEVELS = ((10, Level.CRITICAL), (7, Level.HIGH), (4, Level.MEDIUM), (2, Level.LOW))
"""The least weight of each level, together."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that is unusual: what is usual instead, and what was seen.

    ``at`` is the event's time (epoch). Signals of one principal make one incident.
    """

    kind: SignalKind
    weight: int
    principal: str
    at: int
    what: str
    baseline: str
    observed: str
    secret: str | None = None


def weight(signals: Iterable[Signal]) -> int:
    """Return the weight of all together: of each kind its heaviest, as repeats prove nothing."""
    heaviest = dict[SignalKind, int]()
    for signal in signals:
        heaviest[signal.kind] = max(heaviest.get(signal.kind, 0), signal.weight)
    return total(heaviest)


def total(heaviest: dict[SignalKind, int]) -> int:
    """Return the sum; nothing if all that there is is weak."""
    return 0 if set(heaviest) <= WEAK else sum(heaviest.values())


def level(weight: int) -> Level | None:
    """Return the level that a weight comes to; None if nobody has to know."""
    return next((level for least, level in LEVELS if weight >= least), None)
