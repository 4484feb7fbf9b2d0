"""What is being learned, until it is written into the table in one go."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from rekey.access.ports import Memory
from rekey.errors import StateTableFailure
from rekey.known import Item, Key, merge, secret_key

ATTEMPTS = 8


@dataclass
class Notebook:
    """See Memory; ``table`` is the one behind it, None if nothing is to be written.

    Items are joined as the table's are, so what the live watch writes meanwhile is kept.
    """

    table: Memory | None
    now: int
    _held: dict[Key, Item] = field(default_factory=dict)
    _asked: set[Key] = field(default_factory=set)
    _dirty: set[Key] = field(default_factory=set)

    @property
    def items(self) -> Iterable[Item]:
        return self._held.values()

    def load(self, keys: Iterable[Key], *, latest: bool = False) -> Mapping[Key, Item]:  # noqa: ARG002 - nobody else writes here
        wanted = set(keys)
        # Windows of the past have expired: they are not worth a request.
        unknown = {k for k in wanted - self._asked if not k.sk.startswith("window#")}
        if self.table is not None and unknown:
            self._held |= self.table.load(unknown)
        self._asked |= unknown
        return {key: self._held[key] for key in wanted if key in self._held}

    def save(self, item: Item) -> bool:
        if item.expires > self.now:
            self._held[item.key] = item
            self._dirty.add(item.key)
        return True

    def readers(self, secret: str) -> frozenset[str]:
        """Return those seen so far: only findings name them, and there are none."""
        pk = secret_key(secret).pk
        return frozenset(k.sk.partition("#")[2] for k in self._held if k.pk == pk and "#" in k.sk)

    def write(self) -> int:
        """Join everything new into the table; return how many items that were.

        Raises StateTableFailure.
        """
        if self.table is None:
            return 0
        # In this order a secret's item, by which it is settled, comes after those of its readers.
        ordered = sorted(self._dirty)
        for start in range(0, len(ordered), 100):
            self._write(ordered[start : start + 100], self.table)
        self._dirty.clear()
        return len(ordered)

    def _write(self, keys: Iterable[Key], table: Memory) -> None:
        wanted = list(keys)
        for _ in range(ATTEMPTS):
            held = table.load(wanted, latest=True)
            wanted = [key for key in wanted if not self._joined(key, held.get(key), table)]
            if not wanted:
                return
        raise StateTableFailure("What is known was changed by others again and again. Try later.")

    def _joined(self, key: Key, held: Item | None, table: Memory) -> bool:
        mine = replace(self._held[key], revision=0)
        after = mine if held is None else merge(held, mine)
        return after == held or table.save(after)
