"""The counts of findings that are alike, in memory. They pass the tests of those in DynamoDB."""

from dataclasses import replace
from datetime import date, datetime

from rekey.crowd import NAMED, ONE_BY_ONE, Alike, Crowd


class MemoryCrowds:
    """See Crowds."""

    def __init__(self) -> None:
        self._kept: dict[Alike, Crowd] = {}

    def join(self, of: Alike, name: str, now: datetime) -> int:
        known = self._kept.get(of, Crowd(of, 0, frozenset(), now, now))
        place = known.count + 1
        is_kept = ONE_BY_ONE < place <= ONE_BY_ONE + NAMED
        names = known.names | {name} if is_kept else known.names
        begun = known.begun if known.names else now
        self._kept[of] = replace(known, count=place, names=names, begun=begun, last=now)
        return place

    def on(self, day: date) -> tuple[Crowd, ...]:
        return tuple(crowd for of, crowd in self._kept.items() if of.day == day)

    def note_told(self, crowd: Crowd) -> None:
        self._kept[crowd.of] = replace(self._kept[crowd.of], told=crowd.count)
