"""All that a judgement on one principal's activity may look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache

from rekey.access.aggregate import Activity, Touch
from rekey.access.event import Action
from rekey.access.network import Network, NetworkKind
from rekey.access.signal import Signal, SignalKind
from rekey.access.thresholds import Thresholds
from rekey.known import (
    DAY,
    HOUR,
    SET_CAPS,
    Item,
    Key,
    profile_key,
    reader_key,
    secret_key,
    window_key,
)

NO_ITEM = Item(Key("", ""))
MOST_OF_TEXT = 250
"""Characters of a reason: some names in it are as long as their owners like."""


@dataclass(frozen=True)
class Facts:
    """What no record says, from the account itself.

    ``decoys`` are the secrets with the tag ``rekey:decoy``, ``ours`` the roles of this stack's
    functions. ``roles_made`` has when a role was made (epoch), ``readers`` the principals that are
    known to read a secret, ``rotators`` the role of the function that rotates it.
    """

    decoys: frozenset[str] = frozenset()
    ours: frozenset[str] = frozenset()
    roles_made: Mapping[str, int] = field(default_factory=dict)
    readers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    rotators: Mapping[str, str | None] = field(default_factory=dict)


@dataclass
class Scene:
    """``known`` is what the table held before; ``grown`` what has changed by this activity.

    Whoever sets the scene fills in the facts first, then what has grown. Neither changes what the
    table held of the principal, its pairs and the secrets.
    """

    activity: Activity
    known: Mapping[Key, Item]
    thresholds: Thresholds
    facts: Facts = field(default_factory=Facts)
    grown: Mapping[Key, Item] = field(default_factory=dict)

    @cached_property
    def profile(self) -> Item | None:
        return self.known.get(profile_key(self.activity.principal.key))

    @cached_property
    def settled(self) -> bool:
        """Whether the principal has been known for the time of learning."""
        profile = self.profile
        return profile is not None and self._settled(profile, self.activity.first)

    def reader(self, touch: Touch) -> Item | None:
        return self.known.get(reader_key(touch.secret, touch.principal.key))

    def secret(self, arn: str) -> Item:
        return self.known.get(secret_key(arn), NO_ITEM)

    def secret_settled(self, touch: Touch) -> bool:
        """Whether the secret has been read for so long that its readers are known."""
        return self._settled(self.secret(touch.secret), touch.first)

    def new_reader(self, touch: Touch) -> bool:
        return touch.secret in self.newly_read

    @cached_property
    def newly_read(self) -> frozenset[str]:
        """The settled secrets that the principal was not known to read."""
        touches = self.activity.touches.values()
        granted = [one for one in touches if one.granted and self.before_known(one)]
        return frozenset([one.secret for one in granted if self.secret_settled(one)])

    @cached_property
    def refused(self) -> list[tuple[int, str]]:
        """Denied calls that name no secret, and that never worked for the principal: when, which.

        What it lists or reads in batches on other days may fail for once.
        """
        if not self.activity.refused:
            return []
        profile, usual = self.profile or NO_ITEM, set[Action]()
        usual |= {Action.LIST} if "lists" in profile.members("flags") else set()
        usual |= {Action.BATCH} if "batch" in profile.minima else set()
        return [(at, event) for at, event, action in self.activity.refused if action not in usual]

    def before_known(self, touch: Touch) -> bool:
        """Whether nothing older of the pair is known: a later read may have arrived earlier."""
        reader = self.reader(touch)
        return reader is None or touch.first < reader.minima["first"]

    def wanders(self, source: Network) -> bool:
        """Whether the principal has another address every time, so that one more says nothing.

        Functions outside any VPC do. An endpoint is never one of those addresses.
        """
        networks = (self.profile or NO_ITEM).members("networks")
        full = len(networks) >= SET_CAPS["networks"]
        return full and source.kind is not NetworkKind.ENDPOINT

    def recent_reader(self, touch: Touch) -> bool:
        """Whether it became a reader within a day: the records of one read come in any order."""
        reader = self.reader(touch)
        if reader is None:
            return self.new_reader(touch)
        recent = abs(touch.first - reader.minima["first"]) < DAY
        return recent and touch.granted and self.secret_settled(touch)

    def young(self) -> bool:
        """Whether the principal is a role that was made only just now."""
        made = self.facts.roles_made.get(self.activity.principal.role_arn or "")
        return made is not None and self.activity.first - made < self.thresholds.young_role

    def days(self, name: str) -> frozenset[str]:
        """Return what the principal's set of that name has gathered yesterday and today."""
        return self._windows(name, DAY)

    def minutes(self, name: str) -> frozenset[str]:
        """The same of the last two short windows, which hold up to twice their width."""
        return self._windows(name, self.thresholds.window)

    def _windows(self, name: str, width: int) -> frozenset[str]:
        """The largest of the pairs of neighbours that this activity touches."""
        starts = {at // width * width for at in self.activity.times}
        ends = {end for start in starts for end in (start, start + width)}
        pairs = (self._set(end - width, name, width) | self._set(end, name, width) for end in ends)
        return max(pairs, key=len, default=frozenset())

    def _set(self, start: int, name: str, width: int) -> frozenset[str]:
        key = window_key(self.activity.principal.key, width, start)
        held = self.grown.get(key) or self.known.get(key) or NO_ITEM
        return held.members(name)

    @property
    def counted(self) -> bool:
        """Whether the activity holds anything that is counted over time."""
        return any(key.sk.startswith("window#") for key in self.grown)

    def _settled(self, item: Item, at: int) -> bool:
        first = item.minima.get("first")
        return first is not None and at - first >= self.thresholds.learning

    def signal(
        self,
        kind: SignalKind,
        weight: int,
        texts: tuple[str, str, str],
        touch: Touch | None = None,
    ) -> Signal:
        """``texts``: what is unusual, what is usual, what was seen."""
        at = self.activity.first if touch is None else touch.first
        secret = None if touch is None else touch.secret
        what, usual, seen = (text[:MOST_OF_TEXT] for text in texts)
        return Signal(kind, weight, self.activity.principal.key, at, what, usual, seen, secret)


def counted(number: int, most: int, noun: str) -> str:
    """Return how many were counted, where counting ends at ``most``."""
    return f"{number}{' or more' if number >= most else ''} {noun}"


def date(at: int) -> str:
    """Return a day for a person to read."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def hour_of(at: int) -> str:
    """Return the hour of a working day (`d09`) or of the weekend (`w09`), in UTC."""
    return _hour(at // HOUR)


@lru_cache(maxsize=1024)
def _hour(hours: int) -> str:
    moment = datetime.fromtimestamp(hours * HOUR, UTC)
    return f"{'w' if moment.weekday() > 4 else 'd'}{moment.hour:02}"  # noqa: PLR2004 - Saturday
