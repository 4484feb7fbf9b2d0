"""What people have decided not to be told about, for a time, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

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


def told(signals: Iterable[Signal], suppressions: Iterable[Suppression]) -> list[Signal]:
    """Return the signals that no suppression covers."""
    active = tuple(suppressions)
    return [signal for signal in signals if not any(one.covers(signal) for one in active)]
