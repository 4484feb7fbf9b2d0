"""What people have decided not to be told about, for a time, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from rekey.access.shape import text, texts
from rekey.access.signal import Signal, SignalKind
from rekey.known import DAY, Item, Key, mark, merge

KEPT = 30 * DAY
"""How long a suppression and what it has hidden can be seen after its end."""

EVERYTHING = "*"
NEVER_SUPPRESSED = frozenset({SignalKind.DECOY, SignalKind.ROOT})


@dataclass(frozen=True)
class Suppression:
    """``principal`` and ``secret`` are patterns with `*`; no kinds means every kind.

    Somebody has to answer for it (``owner``), say why, and let it end (``expires``, epoch).
    ``name`` is where what it hides is counted; nothing is without one.
    """

    owner: str
    reason: str
    expires: int
    principal: str
    secret: str = EVERYTHING
    kinds: frozenset[SignalKind] = frozenset()
    name: str = ""

    def covers(self, signal: Signal) -> bool:
        """Whether the signal is one of those, at a time when the suppression still counted."""
        return (
            signal.at < self.expires
            and signal.kind not in NEVER_SUPPRESSED
            and (not self.kinds or signal.kind in self.kinds)
            and fnmatchcase(signal.principal, self.principal)
            and (self.secret == EVERYTHING or fnmatchcase(signal.secret or "", self.secret))
        )


def parsed(document: Mapping[str, Any]) -> Suppression:
    """Return the suppression that a document in the table describes.

    One that says nothing of its owner, reason, end or principal covers nothing.
    """
    owner, reason, principal = (text(document, n) for n in ("owner", "reason", "principal"))
    end, named = document.get("expires"), texts(document, "kinds")
    expires = end if isinstance(end, int) and owner and reason and principal else 0
    kinds = frozenset(kind for kind in SignalKind if kind in named)
    secret = text(document, "secret") or EVERYTHING
    return Suppression(owner, reason, expires, principal, secret, kinds, text(document, "name"))


Hidden = tuple[Suppression, Signal]


def sorted_out(
    signals: Iterable[Signal], suppressions: Iterable[Suppression]
) -> tuple[list[Signal], list[Hidden]]:
    """Return the signals that no suppression covers, and the others with the one that does.

    Nothing is looked up if there are no signals.
    """
    told, hidden, unusual = list[Signal](), list[Hidden](), list(signals)
    active = tuple(suppressions) if unusual else ()
    for signal in unusual:
        by = next((one for one in active if one.covers(signal)), None)
        told += [signal] if by is None else []
        hidden += [] if by is None else [(by, signal)]
    return told, hidden


def hidden_key(name: str) -> Key:
    return Key(f"suppression#{name}", "hidden")


def hidden_items(hidden: Iterable[Hidden]) -> dict[Key, Item]:
    """Return what to remember of signals that nobody is told of: how many, and the last.

    The same kind of the same reader and secret counts once a day.
    """
    items = dict[Key, Item]()
    for by, signal in hidden:
        if by.name:
            key, day = hidden_key(by.name), signal.at // DAY
            what = mark(f"{signal.kind} {signal.principal} {signal.secret} {day}")
            sets, expires = {"marks": frozenset((what,))}, by.expires + KEPT
            item = Item(key, maxima={"last": signal.at}, sets=sets, expires=expires)
            items[key] = merge(items[key], item) if key in items else item
    return items
