"""Report findings: note, say, note that it was said. Safe to repeat from anywhere."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from rekey.alerts.asff import asff
from rekey.alerts.crowds import alike, name_of
from rekey.alerts.finding import Finding
from rekey.alerts.incidents import Decision, as_told, decide, told
from rekey.alerts.message import message
from rekey.crowd import ONE_BY_ONE, Crowds
from rekey.errors import StateTableFailure
from rekey.incident import Channel, Hub, Incident, IncidentStore, Place

ATTEMPTS = 10
"""How often an incident is read again when others write it at the same time."""


def nobody(_: str) -> None:
    """Return no owner, for findings whose makers know it, or who need none."""


def utc_now() -> datetime:
    """Return the time, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Reporter:
    """Where findings are reported.

    ``owner`` looks up whom a secret (ARN) belongs to; it is asked only for what is published, and
    never raises. ``crowds`` counts what is told: without it, everything is told one by one.
    ``hub`` gets what people got, after them. ``ocsf`` is where the stack stands, if findings are
    events in that format too.
    """

    store: IncidentStore
    channel: Channel
    owner: Callable[[str], str | None] = nobody
    crowds: Crowds | None = None
    hub: Hub | None = None
    ocsf: Place | None = None
    now: Callable[[], datetime] = utc_now

    def report(self, finding: Finding) -> Decision:
        """Do what follows from a finding, and return it.

        Raises StateTableFailure or AlertNotDelivered: whoever has the event must try again, and
        then nothing is lost.
        """
        decision, owned = self._note(finding)
        if decision.action.speaks:
            told_now = as_told(owned, decision)
            said, few = message(told_now, self.ocsf), _is_one_of_few(decision.incident)
            self.channel.publish(replace(said, for_people=said.for_people and few))
            if self.hub:
                opened = decision.incident.opened
                self.hub.take(asff(told_now, self.hub.place, opened, self.now()))
            self._note_said(decision.incident)
        return decision

    def _note(self, finding: Finding) -> tuple[Decision, Finding]:
        """Return the finding with its owner, if anything is said of it."""
        place: int | None = None
        for _ in range(ATTEMPTS):
            stored = self.store.get(finding.topic)
            decision = decide(stored, finding, self.now())
            if decision.action.speaks:
                finding = self._owned(finding)
            if decision.incident == stored:
                return decision, finding
            if decision.action.speaks:
                place = place or self._place(as_told(finding, decision))
                decision = _placed(decision, place)
            if self.store.put(decision.incident, replaces=stored):
                return decision, finding
        raise StateTableFailure(
            "An incident was written by others again and again. The event is tried once more."
        )

    def _place(self, finding: Finding) -> int:
        """Return which one it is of its kind today, 1 if nobody counts."""
        now = self.now()
        of = alike(finding, now)
        if self.crowds is None or of is None:
            return 1
        return self.crowds.join(of, name_of(finding), now)

    def _note_said(self, incident: Incident) -> None:
        """If somebody has written the incident since, they carry the note, and it is cleared."""
        stored: Incident | None = incident
        for _ in range(ATTEMPTS):
            if stored is None or stored.untold != incident.untold:
                return
            if self.store.put(told(stored), replaces=stored):
                return
            stored = self.store.get(incident.topic)

    def _owned(self, finding: Finding) -> Finding:
        if finding.owner is not None or finding.secret is None:
            return finding
        return replace(finding, owner=self.owner(finding.secret))


def _placed(decision: Decision, place: int) -> Decision:
    """Return it with its place, which is stored before anything is said: it is counted once."""
    untold = decision.incident.untold
    noted = untold and replace(untold, place=place)
    return replace(decision, incident=replace(decision.incident, untold=noted))


def _is_one_of_few(incident: Incident) -> bool:
    return incident.untold is None or incident.untold.place <= ONE_BY_ONE
