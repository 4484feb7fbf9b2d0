"""What people have decided not to be told about, for a time, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from rekey.access.shape import text, texts
from rekey.access.signal import Signal, SignalKind

EVERYTHING = "*"
NEVER_SUPPRESSED = frozenset({SignalKind.DECOY, SignalKind.ROOT})


@dataclass(frozen=True)
class Suppression:
    """``principal`` and ``secret`` are patterns with `*`; no kinds means every kind.

    Somebody has to answer for it (``owner``), say why, and let it end (``expires``, epoch).
    """

    owner: str
    reason: str
    expires: int
    principal: str
    secret: str = EVERYTHING
    kinds: frozenset[SignalKind] = frozenset()

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
    return Suppression(owner, reason, expires, principal, secret, kinds)


def told(signals: Iterable[Signal], suppressions: Iterable[Suppression]) -> list[Signal]:
    """Return the signals that no suppression covers; nothing is looked up if there are none."""
    unusual = list(signals)
    active = tuple(suppressions) if unusual else ()
    return [signal for signal in unusual if not any(one.covers(signal) for one in active)]
