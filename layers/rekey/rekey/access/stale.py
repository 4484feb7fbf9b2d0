"""Who still has an old version of a secret after a rotation."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum, unique

from rekey.access.thresholds import Thresholds
from rekey.known import Item


@unique
class Consumption(StrEnum):
    """What a known reader has done since a version lost AWSCURRENT."""

    RENEWED = "renewed"  # read a later version
    STALE = "stale"  # was given the old version after that
    SILENT = "silent"  # has read nothing since, and may still hold the old one
    UNSEEN = "unseen"  # has read since, and nobody saw which version


@dataclass(frozen=True)
class Consumer:
    """One line of the table in a finding. Times are epochs; ``version`` is what it read last."""

    principal: str
    consumption: Consumption
    last_read: int
    version: str | None
    reason: str


def lost_current(secret: Item, version: str) -> int | None:
    """Return when a version lost AWSCURRENT (epoch); None if it has it, or nobody knows.

    Some records name only the version that gained the label: then the next gain is the loss.
    """
    gains = secret.family("c")
    gained = gains.get(version)
    if gained is None:
        return secret.family("l").get(version)
    return min((at for at in gains.values() if at > gained), default=None)


def consumers(readers: Iterable[Item], version: str, lost: int) -> list[Consumer]:
    """Return what each known reader has done since ``version`` lost AWSCURRENT at ``lost``."""
    found = (_consumer(reader, version, lost) for reader in readers)
    return sorted(found, key=lambda one: (one.consumption, one.principal))


def may_retire(table: Iterable[Consumer]) -> tuple[bool, str]:
    """The gate that retire and rotate ask: whether nobody uses the old version any more.

    Silence is no proof of use: whoever holds a value in memory makes no record. A person reads
    who is silent in the reason.
    """
    lines = list(table)
    stale = [one.principal for one in lines if one.consumption is Consumption.STALE]
    silent = sum(one.consumption is Consumption.SILENT for one in lines)
    if stale:
        return False, f"{len(stale)} still read the old version: {', '.join(stale[:5])}"
    return True, f"Nobody reads the old version; {silent} of {len(lines)} readers are silent."


def _consumer(reader: Item, version: str, lost: int) -> Consumer:
    name = reader.key.sk.partition("#")[2]
    last = reader.maxima.get("last", 0)
    versions = reader.family("v")
    newest = max(versions, key=lambda one: versions[one], default=None)
    if versions.get(version, 0) > lost:
        reason = "The old version was given out after it lost AWSCURRENT."
        return Consumer(name, Consumption.STALE, last, newest, reason)
    if last <= lost:
        reason = "No read since the rotation."
        return Consumer(name, Consumption.SILENT, last, newest, reason)
    if any(at > lost for other, at in versions.items() if other != version):
        return Consumer(name, Consumption.RENEWED, last, newest, "A later version was given out.")
    reason = "Read since, and no record says which version."
    return Consumer(name, Consumption.UNSEEN, last, newest, reason)


def is_old(secret: Item, version: str, at: int, thresholds: Thresholds) -> bool:
    """Whether a version was read later than the grace after it lost AWSCURRENT."""
    lost = lost_current(secret, version)
    return lost is not None and at - lost > thresholds.grace
