"""Who still has an old version of a secret after a rotation."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum, unique

from rekey.access.thresholds import Thresholds
from rekey.known import Item

HANDOVER = 300
"""Seconds after a rotation in which readers may be given the old version: who has just asked
which version is the current one still asks for that."""

NAMED = 5


@unique
class Consumption(StrEnum):
    """What a known reader has done since a version lost AWSCURRENT. The first matters most."""

    STALE = "stale"  # was given the old version after that
    OUTDATED = "outdated"  # was given one after that which had been replaced before
    SILENT = "silent"  # has read nothing since, and may still hold the old one
    UNSEEN = "unseen"  # has read since, and no record shows a newer version
    RENEWED = "renewed"  # was given a newer version


@dataclass(frozen=True)
class Replaced:
    """A version that lost AWSCURRENT. Times are epochs, ``grace`` is in seconds.

    ``newer`` are the versions that have had AWSCURRENT since, ``older`` those that lost it before.
    ``now`` is when it is looked at.
    """

    version: str
    newer: frozenset[str]
    older: frozenset[str]
    lost: int
    now: int
    grace: int


@dataclass(frozen=True)
class Consumer:
    """One line of the table in a finding. ``last_read`` is an epoch.

    ``version`` is the old one that it was given, or else what it read last.
    """

    principal: str
    consumption: Consumption
    last_read: int
    version: str | None


@unique
class Answer(StrEnum):
    """Whether an old version may go. Only STALE is a reason to wait."""

    CLEAR = "clear"
    STALE = "stale"
    UNKNOWN = "unknown"  # nothing is known about reads
    SUPERSEDED = "superseded"  # the version that replaced it is not AWSCURRENT any more


def lost_current(secret: Item, version: str) -> int | None:
    """Return when a version lost AWSCURRENT (epoch); None if it has it, or nobody knows.

    Some records name only the version that gained the label: then the next gain is the loss.
    """
    gains = secret.family("c")
    gained = gains.get(version)
    if gained is None:
        return secret.family("l").get(version)
    return min((at for at in gains.values() if at > gained), default=None)


def last_change(secret: Item, before: int) -> int | None:
    """Return when AWSCURRENT moved last before a time (epochs); None if nobody knows."""
    moves = (*secret.family("c").values(), *secret.family("l").values())
    return max((at for at in moves if at < before), default=None)


def given_when_old(secret: Item, versions: Mapping[str, int], window: int) -> dict[str, int]:
    """Return when versions were given out that had lost AWSCURRENT, to the window's beginning.

    What is read again and again within a window is not worth a write each time.
    """
    losses = ((version, at, lost_current(secret, version)) for version, at in versions.items())
    return {
        version: max(at // window * window, lost + 1)
        for version, at, lost in losses
        if lost is not None and at > lost
    }


def replaced(secret: Item, version: str, by: str, now: int, grace: int) -> Replaced | None:
    """Return the version that ``by`` has replaced; None if no record has told when."""
    gains = secret.family("c")
    lost = gains.get(by, secret.family("l").get(version))
    if lost is None:
        return None
    newer = {by, *(other for other, at in gains.items() if at >= lost)} - {version}
    older = {*gains, *secret.family("l")} - newer - {version}
    return Replaced(version, frozenset(newer), frozenset(older), lost, now, grace)


def consumers(readers: Iterable[Item], old: Replaced) -> list[Consumer]:
    """Return what each known reader has done since; those that need attention come first."""
    order = list(Consumption)
    found = (_consumer(reader, old) for reader in readers)
    return sorted(found, key=lambda one: (order.index(one.consumption), one.principal))


def judged(table: Iterable[Consumer]) -> tuple[Answer, str]:
    """The gate that retire and rotate ask: whether nobody uses the old version any more.

    Silence is no proof of use: whoever holds a value in memory makes no record. A person reads
    who is silent in the reason.
    """
    lines = list(table)
    by = {kind: [one for one in lines if one.consumption is kind] for kind in Consumption}
    stale, silent = by[Consumption.STALE], by[Consumption.SILENT]
    if stale:
        named = ", ".join(one.principal for one in stale[:NAMED])
        return Answer.STALE, f"{len(stale)} of {len(lines)} readers use the old version: {named}"
    if not lines:
        return Answer.UNKNOWN, "Nobody was ever seen to read the secret."
    if by[Consumption.UNSEEN] and not by[Consumption.RENEWED]:
        return Answer.UNKNOWN, "Reads are seen, but not which version. Are uses of keys logged?"
    reason = f"Nobody reads the old version; {len(silent)} of {len(lines)} readers are silent."
    return Answer.CLEAR, reason


def _consumer(reader: Item, old: Replaced) -> Consumer:
    name = reader.key.sk.partition("#")[2]
    versions, late = reader.family("v"), reader.family("o")
    given = {version: max(at, late.get(version, 0)) for version, at in versions.items()}
    last = max(reader.maxima.get("last", 0), *given.values(), 0)
    since = last > old.lost or reader.maxima.get("since", 0) >= old.lost
    consumption, version = _consumption(given, old, since=since)
    return Consumer(name, consumption, last, version)


def _consumption(
    given: Mapping[str, int], old: Replaced, *, since: bool
) -> tuple[Consumption, str | None]:
    """Return what a reader has done, and the version that shows it."""
    later = _latest(given, old.newer, old)
    for kind, versions in ((Consumption.STALE, {old.version}), (Consumption.OUTDATED, old.older)):
        used = _latest(given, versions, old)
        if used and not (later and _over(given[used], old)):
            return kind, used
    if later:
        return Consumption.RENEWED, later
    newest = max(given, key=lambda version: given[version], default=None)
    return Consumption.UNSEEN if since else Consumption.SILENT, newest


def _latest(given: Mapping[str, int], among: AbstractSet[str], old: Replaced) -> str | None:
    """Return which of these versions was given out last, after the old one was replaced."""
    since = (version for version in among if given.get(version, 0) > old.lost)
    return max(since, key=lambda version: given[version], default=None)


def _over(used: int, old: Replaced) -> bool:
    """Whether a reader that was given both has let go of the old one.

    A role is many processes: one of them may have renewed, and another not. So it counts as long
    as it is given out again and again. In the hand-over it says no more than a read before that.
    """
    return used - old.lost <= HANDOVER or old.now - used > old.grace


def is_old(secret: Item, version: str, at: int, thresholds: Thresholds) -> bool:
    """Whether a version was read later than the grace after it lost AWSCURRENT."""
    lost = lost_current(secret, version)
    return lost is not None and at - lost > thresholds.grace
