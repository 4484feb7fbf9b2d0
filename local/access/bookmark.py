"""How far learning has come, noted in the table beside what was learned."""

from dataclasses import dataclass

from rekey.access.ports import Memory
from rekey.known import DAY, Item, Key

KEY = Key("learned", "state")
KEPT = 30 * DAY


class OvertakenError(Exception):
    """Somebody else learns the past of this stack at the same time."""


@dataclass(frozen=True)
class Span:
    """What is to be learned: from ``until`` back to ``since`` (epoch), by ``calls``."""

    since: int
    until: int
    calls: tuple[str, ...]


@dataclass
class Bookmark:
    """The note in ``table``; None where nothing is written."""

    table: Memory | None
    _item: Item | None = None

    def unfinished(self, span: Span) -> Span | None:
        """Return what an earlier run for the same calls left over; None if nothing."""
        held = self.table.load((KEY,), latest=True).get(KEY) if self.table else None
        self._item = held
        if held is None or held.notes.get("calls") != _calls(span):
            return None
        since, reached = min(span.since, held.minima["since"]), held.minima["reached"]
        return Span(since, reached, span.calls) if since < reached else None

    def put(self, span: Span, reached: int, now: int) -> None:
        """Note that everything after ``reached`` is in the table. Raises OvertakenError."""
        if self.table is None:
            return
        revision = self._item.revision if self._item else 0
        minima = {"since": span.since, "reached": reached}
        notes = {"calls": _calls(span)}
        item = Item(KEY, minima, notes=notes, expires=now + KEPT, revision=revision)
        if not self.table.save(item):
            raise OvertakenError("Somebody else learns the past of this stack. Let one go on.")
        self._item = Item(KEY, minima, notes=notes, expires=item.expires, revision=revision + 1)


def _calls(span: Span) -> tuple[int, str]:
    return 0, ",".join(span.calls)
