"""Report findings: note, say, note that it was said. Safe to repeat from anywhere."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from rekey.alerts.finding import Finding
from rekey.alerts.incidents import Decision, as_told, decide, told
from rekey.alerts.message import message
from rekey.errors import StateTableFailure
from rekey.incident import Channel, Incident, IncidentStore

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
    never raises.
    """

    store: IncidentStore
    channel: Channel
    owner: Callable[[str], str | None] = nobody
    now: Callable[[], datetime] = utc_now

    def report(self, finding: Finding) -> Decision:
        """Do what follows from a finding, and return it.

        Raises StateTableFailure or AlertNotDelivered: whoever has the event must try again, and
        then nothing is lost.
        """
        decision = self._note(finding)
        if decision.action.speaks:
            self.channel.publish(message(self._owned(as_told(finding, decision))))
            self._note_said(decision.incident)
        return decision

    def _note(self, finding: Finding) -> Decision:
        for _ in range(ATTEMPTS):
            stored = self.store.get(finding.topic)
            decision = decide(stored, finding, self.now())
            if decision.incident == stored:
                return decision
            if self.store.put(decision.incident, replaces=stored):
                return decision
        raise StateTableFailure(
            "An incident was written by others again and again. The event is tried once more."
        )

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
