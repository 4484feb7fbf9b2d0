"""Records of the past to what is known, by the code that watches the present. Nobody is told."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.access.notebook import Notebook
from rekey.access.aggregate import gather
from rekey.access.event import Access, Refusal
from rekey.access.judge import Incident
from rekey.access.network import Asns, no_asns
from rekey.access.normalise import normalise
from rekey.access.secret import KnownSecrets
from rekey.access.thresholds import Thresholds
from rekey.access.watch import Watch
from rekey.known import DAY, Item


class Unasked:
    """See Surroundings and Teller: the past is not judged, so nobody is asked or told anything."""

    def decoys(self) -> frozenset[str]:
        return frozenset()

    def ours(self) -> frozenset[str]:
        return frozenset()

    def rotator(self, secret: str) -> str | None:  # noqa: ARG002 - a port
        return None

    def role_made(self, arn: str) -> int | None:  # noqa: ARG002 - a port
        return None

    def suppressions(self) -> Iterable[Mapping[str, Any]]:
        return ()

    def tell(self, incident: Incident) -> None:
        raise AssertionError(f"nobody is told of the past, such as {incident.id}")


@dataclass
class Learned:
    """What was in the records; ``refused`` counts those that were not understood, by reason."""

    events: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    oldest: int | None = None
    principals: set[str] = field(default_factory=set)
    unlisted: set[str] = field(default_factory=set)
    """Secrets that do not exist any more: nobody knows their whole ARNs."""


@dataclass
class Learner:
    """``listed`` are the secrets that exist; ``ours`` are left out, as the rules do it."""

    notebook: Notebook
    listed: frozenset[str]
    ours: frozenset[str]
    thresholds: Thresholds
    asn_of: Asns = no_asns
    learned: Learned = field(default_factory=Learned)

    def __post_init__(self) -> None:
        nobody = Unasked()
        self._names = KnownSecrets(self.listed)
        self._watch = Watch(self.notebook, nobody, nobody, self.thresholds)

    def take(self, records: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
        """Learn from records with their times. Raises StateTableFailure."""
        days = dict[int, list[Access]]()
        for at, record in records:
            self.learned.events[str(record.get("eventName"))] += 1
            self.learned.oldest = min(at, self.learned.oldest or at)
            days.setdefault(at // DAY, []).extend(self._accesses(record))
        # By day, as the most secrets at a time are known by day.
        for accesses in days.values():
            for activity in gather(accesses).values():
                self._watch.take(activity, learn=True)

    def _accesses(self, record: Mapping[str, Any]) -> tuple[Access, ...]:
        found = normalise(record, self._names, self.asn_of)
        if isinstance(found, Refusal):
            self.learned.refused[found.reason] += 1
            return ()
        watched = self._watch.received(found)
        kept = tuple(access for access in watched if access.principal.key not in self.ours)
        self.learned.principals |= {access.principal.key for access in kept}
        self.learned.unlisted |= {a.secret for a in kept if a.secret} - self.listed
        return kept

    def of_kind(self, kind: str) -> list[Item]:
        """What is known of each ``secret`` or ``reader``, or as ``profile``."""
        return [item for item in self.notebook.items if item.key.sk.partition("#")[0] == kind]
