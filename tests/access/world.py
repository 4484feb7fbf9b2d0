"""A table in memory and an account that says what a test wants, to watch accesses with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rekey.access.aggregate import gather
from rekey.access.event import Access, Refusal
from rekey.access.judge import Incident, incident
from rekey.access.network import Asns, no_asns
from rekey.access.normalise import normalise
from rekey.access.secret import KnownSecrets
from rekey.access.signal import Signal
from rekey.access.thresholds import Thresholds
from rekey.access.watch import Watch
from rekey.known import DAY, ROTATIONS, Item, Key, Open, secret_key
from tests.access.records import MORNING, Record


@dataclass
class Table:
    """What the table keeps; its rules are those of the adapter, whose tests run over both."""

    items: dict[Key, Item] = field(default_factory=dict)
    writes: int = 0
    now: int = 0
    names: dict[str, set[str]] = field(init=False)

    def __post_init__(self) -> None:
        """Who reads a secret is asked often, and the table holds tens of thousands of items."""
        self.names = defaultdict(set)
        for key in self.items:
            self._name(key)

    def load(self, keys: Iterable[Key], *, latest: bool = False) -> Mapping[Key, Item]:  # noqa: ARG002 - a port
        held = ((key, self.items.get(key)) for key in keys)
        return {key: item for key, item in held if item is not None and item.expires > self.now}

    def save(self, item: Item) -> bool:
        held = self.items.get(item.key)
        # What has expired and was not yet deleted is as good as gone.
        if held is not None and held.expires > self.now and held.revision != item.revision:
            return False
        self.writes += 1
        self.items[item.key] = replace(item, revision=item.revision + 1)
        self._name(item.key)
        return True

    def reading(self, secret: str) -> tuple[Item | None, Sequence[Item]]:
        key = secret_key(secret)
        return self.load((key,)).get(key), self._lying(key.pk, "reader#")

    def rotations(self) -> Sequence[Item]:
        return self._lying(ROTATIONS, "")

    def forget(self, key: Key) -> None:
        self.items.pop(key, None)

    def _lying(self, pk: str, start: str) -> list[Item]:
        found = (self.items[key] for key in sorted(self.items) if key.pk == pk)
        return [i for i in found if i.key.sk.startswith(start) and i.expires > self.now]

    def readers(self, secret: str) -> frozenset[str]:
        return frozenset(self.names[secret_key(secret).pk])

    def _name(self, key: Key) -> None:
        kind, _, name = key.sk.partition("#")
        if kind == "reader":
            self.names[key.pk].add(name)


@dataclass
class Notes:
    """The agenda in memory. It passes the tests of the one in DynamoDB."""

    entries: dict[Key, Open] = field(default_factory=dict)
    now: int = 0

    def note(self, entry: Open) -> None:
        self.entries[entry.key] = entry

    def all(self) -> list[Open]:
        return [entry for entry in self.entries.values() if entry.expires > self.now]

    def drop(self, entry: Open) -> None:
        held = self.entries.get(entry.key)
        if held is not None and held.occurrence == entry.occurrence:
            del self.entries[entry.key]


@dataclass
class World:
    """Watches records, remembers in a table, and keeps what people would be told."""

    table: Table = field(default_factory=Table)
    thresholds: Thresholds = field(default_factory=Thresholds)
    names: KnownSecrets = field(default_factory=KnownSecrets)
    decoy_secrets: frozenset[str] = frozenset()
    our_roles: frozenset[str] = frozenset()
    made: dict[str, int] = field(default_factory=dict)
    ages: Callable[[str], int | None] | None = None
    suppressed: list[dict[str, Any]] = field(default_factory=list)
    rotators: dict[str, str] = field(default_factory=dict)
    told: list[Incident] = field(default_factory=list)
    asn_of: Asns = no_asns

    def decoys(self) -> frozenset[str]:
        return self.decoy_secrets

    def ours(self) -> frozenset[str]:
        return self.our_roles

    def role_made(self, arn: str) -> int | None:
        return self.ages(arn) if self.ages else self.made.get(arn)

    def rotator(self, secret: str) -> str | None:
        return self.rotators.get(secret)

    def suppressions(self) -> Iterable[Mapping[str, Any]]:
        return self.suppressed

    def tell(self, incident: Incident) -> None:
        self.told.append(incident)

    @property
    def watch(self) -> Watch:
        return Watch(self.table, self, self, self.thresholds)

    def learn(self, *records: Record) -> None:
        self._take(records, learn=True)

    def see(self, *records: Record) -> list[Signal]:
        """Take records in as one batch."""
        return self._take(records, learn=False)

    def see_each(self, *records: Record) -> list[Signal]:
        """Take each record in as a batch of its own."""
        return [signal for record in records for signal in self.see(record)]

    def _take(self, records: Iterable[Record], *, learn: bool) -> list[Signal]:
        accesses = list[Access]()
        for record in records:
            found = normalise(record, self.names, self.asn_of)
            if not isinstance(found, Refusal):
                accesses.extend(self.watch.received(found))
        activities = gather(accesses).values()
        watch = self.watch
        loaded = watch.load(activities)
        return [s for one in activities for s in watch.take(one, loaded, learn=learn)]

    def incidents(self) -> list[Incident]:
        """What the table says of every incident in the end."""
        items = (item for key, item in self.table.items.items() if key.sk.startswith("incident"))
        return [found for found in map(incident, items) if found is not None]


LONG_AGO = MORNING - 20 * DAY
