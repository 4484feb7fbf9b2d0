"""Messages of a queue to accesses, and back to which messages failed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rekey.access.aggregate import gather
from rekey.access.event import Access, Refusal
from rekey.access.network import Asns, no_asns
from rekey.access.normalise import normalise
from rekey.access.secret import SecretNames
from rekey.access.shape import mapping
from rekey.access.watch import Watch
from rekey.errors import InvalidEvent, OutOfTime, RekeyError
from rekey.model import Deadline


@dataclass(frozen=True)
class Intake:
    """``names`` tells which secrets there are."""

    watch: Watch
    names: SecretNames
    asn_of: Asns = no_asns

    def take(self, messages: Mapping[str, Any], deadline: Deadline) -> dict[str, RekeyError]:
        """Watch what the bodies hold, by message id; return those that have to come again.

        A record that nobody understands fails until it lies in the dead letters, where a person
        can look at it. One principal's trouble is not another's. What the time is not enough for
        comes again as well.
        """
        failed, accesses = dict[str, RekeyError](), dict[str, tuple[Access, ...]]()
        for message_id, body in messages.items():
            try:
                _check(deadline)
                accesses[message_id] = self._accesses(body)
            except RekeyError as error:
                failed[message_id] = error
        every = (access for found in accesses.values() for access in found)
        unwatched = self._watch(every, deadline)
        for message_id, found in accesses.items():
            for principal in {access.principal.key for access in found} & set(unwatched):
                failed[message_id] = unwatched[principal]
        return failed

    def _accesses(self, body: Any) -> tuple[Access, ...]:
        record = mapping(body, "detail") if isinstance(body, dict) else body
        found = normalise(record, self.names, self.asn_of)
        if isinstance(found, Refusal):
            raise InvalidEvent(f"The record was not understood: {found.reason}, {found.detail}")
        return self.watch.received(found)

    def _watch(self, accesses: Iterable[Access], deadline: Deadline) -> dict[str, RekeyError]:
        """Return what went wrong, by principal."""
        gathered = gather(accesses)
        try:
            loaded = self.watch.load(gathered.values())
        except RekeyError as error:
            return dict.fromkeys(gathered, error)
        failed = dict[str, RekeyError]()
        for name, activity in gathered.items():
            try:
                _check(deadline)
                self.watch.take(activity, loaded)
            except RekeyError as error:
                failed[name] = error
        return failed


def _check(deadline: Deadline) -> None:
    if deadline.remaining() <= 0:
        raise OutOfTime("The invocation's time was not enough. The message comes again.")
