"""What is known, as items of one table: sets that grow, minima and maxima, and nothing else.

So the same event twice, or events in another order, end in the same items. Every set and every
family of maxima has a cap; which members stay does not depend on the order either.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

DAY, HOUR = 86_400, 3_600
FULL = "full"
DECOY_TAG = "rekey:decoy"
ENDING = re.compile(r"-[A-Za-z0-9]{6}$")
ROTATIONS = "rotations"
MOST_READERS = 1000
"""Readers of one secret that are compared with a rotation."""
SET_CAPS = {
    "networks": 32,
    "tools": 16,
    "hours": 48,
    "secrets": 256,
    "knows": 64,
    "denied": 64,
    "refused": 64,
    "fresh": 64,
    "batches": 32,
    "regions": 16,
    "arns": 12,
    "marks": 64,
    "flags": 8,
}
# By their values (what was read last) or by their names (the latest days).
MAXIMA_CAPS = {"v": 6, "o": 6, "c": 6, "l": 6, "p": 6, "n": 24}
MAXIMA_CAPS_BY_NAME = {"peak": 14}
SMALLEST_CAP = min(*MAXIMA_CAPS.values(), *MAXIMA_CAPS_BY_NAME.values())
LONGER = 30 * DAY
MOST_OF_NAME, MOST_OF_ARN, MOST_OF_ROTATED, MOST_OF_VERSION = 200, 1024, 900, 100
"""Octets. DynamoDB's sort keys end at 1,024, its partition keys at 2,048. No ARN has 700."""
REMEMBERED = 16_384
"""Keys and marks of the same few secrets and principals are asked for over and over."""
TIMES = ("last", "v")
"""Maxima that only say when something was seen last: not worth a write each time they grow."""


class Key(NamedTuple):
    """Where an item lies."""

    pk: str
    sk: str


@dataclass(frozen=True, slots=True)
class Item:
    """``expires`` is when nothing may be concluded from it any more (epoch).

    A note is a text with a rank: of two notes of one name, the higher stays. ``revision`` is
    that of the table's item; 0 if it has none.
    """

    key: Key
    minima: Mapping[str, int] = field(default_factory=dict)
    maxima: Mapping[str, int] = field(default_factory=dict)
    sets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    notes: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    expires: int = 0
    revision: int = field(default=0, compare=False)

    def members(self, name: str) -> frozenset[str]:
        return self.sets.get(name, frozenset())

    def family(self, prefix: str) -> dict[str, int]:
        """Return the maxima named ``prefix:...`` by the rest of their names."""
        start = f"{prefix}:"
        found = self.maxima.items()
        return {name[len(start) :]: value for name, value in found if name.startswith(start)}


@dataclass(frozen=True, slots=True)
class Open:
    """An incident that has not ended: where it lies until ``expires``, and what was told last."""

    key: Key
    occurrence: str
    expires: int


def merge(one: Item, other: Item) -> Item:
    """Join two states of an item: idempotent, and in any order the same."""
    sets, cut = _sets(one, other)
    if cut:
        sets["flags"] = sets.get("flags", frozenset()) | {FULL}
    return Item(
        one.key,
        {
            name: min(one.minima.get(name, value), other.minima.get(name, value))
            for name, value in {**one.minima, **other.minima}.items()
        },
        _bounded(
            {
                name: max(one.maxima.get(name, value), other.maxima.get(name, value))
                for name, value in {**one.maxima, **other.maxima}.items()
            }
        ),
        sets,
        {
            name: max(one.notes.get(name, note), other.notes.get(name, note))
            for name, note in {**one.notes, **other.notes}.items()
        },
        max(one.expires, other.expires),
        max(one.revision, other.revision),
    )


def _sets(one: Item, other: Item) -> tuple[dict[str, frozenset[str]], bool]:
    joined, cut = dict[str, frozenset[str]](), False
    for name in {**one.sets, **other.sets}:
        together = one.members(name) | other.members(name)
        cap = SET_CAPS[name]
        cut = cut or len(together) > cap
        joined[name] = together if len(together) <= cap else frozenset(sorted(together)[:cap])
    return joined, cut


def _bounded(maxima: dict[str, int]) -> dict[str, int]:
    if len(maxima) <= SMALLEST_CAP:
        return maxima
    families = dict[str, list[tuple[int, str]]]()
    for name, value in maxima.items():
        families.setdefault(name.partition(":")[0], []).append((value, name))
    dropped = {name for family in families for name in _surplus(family, families[family])}
    return {name: value for name, value in maxima.items() if name not in dropped}


def _surplus(family: str, members: list[tuple[int, str]]) -> list[str]:
    if family in MAXIMA_CAPS_BY_NAME:
        return sorted((name for _, name in members), reverse=True)[MAXIMA_CAPS_BY_NAME[family] :]
    cap = MAXIMA_CAPS.get(family, len(members))
    return [name for _, name in sorted(members, reverse=True)[cap:]]


def is_news(before: Item | None, after: Item, refresh: int) -> bool:
    """Whether ``after`` is worth a write: it holds something new, or is ``refresh`` s younger."""
    if before is None or after.expires - before.expires >= LONGER:
        return True
    if (before.sets, before.minima, before.notes) != (after.sets, after.minima, after.notes):
        return True
    return any(
        name not in before.maxima
        or value - before.maxima[name] >= (refresh if name.partition(":")[0] in TIMES else 1)
        for name, value in after.maxima.items()
    )


def lasting(item: Item, seconds: int) -> Item:
    """Return the item with its expiry counted from what was seen last."""
    last = max((*item.maxima.values(), *item.minima.values()), default=0)
    return replace(item, expires=max(item.expires, last + seconds))


def alive(items: Iterable[Item], now: int) -> dict[Key, Item]:
    """Leave out what has expired: the table deletes it some time later."""
    return {item.key: item for item in items if item.expires > now}


@lru_cache(maxsize=REMEMBERED)
def mark(text: str) -> str:
    """Return 48 bits of a name: what counts distinct things need not hold the things."""
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def without_ending(arn: str) -> str:
    """Return the ARN without the hyphen and six characters that Secrets Manager puts behind."""
    return ENDING.sub("", arn)


@lru_cache(maxsize=REMEMBERED)
def secret_key(arn: str) -> Key:
    return Key(f"secret#{_fitting(arn, MOST_OF_ARN)}", "secret")


@lru_cache(maxsize=REMEMBERED)
def reader_key(arn: str, principal: str) -> Key:
    return Key(f"secret#{_fitting(arn, MOST_OF_ARN)}", f"reader#{_fitting(principal)}")


def rotation_key(arn: str, version: str) -> Key:
    """Of a promotion whose consumers have not all been seen to renew."""
    return Key(ROTATIONS, f"{_fitting(arn, MOST_OF_ROTATED)}#{_fitting(version, MOST_OF_VERSION)}")


@lru_cache(maxsize=REMEMBERED)
def profile_key(principal: str) -> Key:
    """Also for what is no principal and known the same way: `network:...`, `account:...`."""
    return Key(f"principal#{_fitting(principal)}", "profile")


def window_key(principal: str, width: int, start: int) -> Key:
    return Key(f"principal#{_fitting(principal)}", f"window#{width}#{start}")


def incident_key(principal: str, day: int) -> Key:
    return Key(f"principal#{_fitting(principal)}", f"incident#{day}")


def _fitting(name: str, most: int = MOST_OF_NAME) -> str:
    """Names are the caller's own, and longer than a key can be: some octets and a mark then."""
    octets = name.encode()
    if len(octets) <= most:
        return name
    return f"{octets[: most - 50].decode(errors='ignore')}#{mark(name)}"
