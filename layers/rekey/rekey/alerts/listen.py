"""Events that people hear of, among all that come through the queue."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rekey.access.shape import mapping, text
from rekey.alerts import campaigns, changes, recoveries, service_events
from rekey.alerts.finding import Finding
from rekey.alerts.incidents import Decision
from rekey.alerts.record import Caller, happened_at, secret_arn
from rekey.incident import Recovery

READ = "GetSecretValue"


@dataclass(frozen=True)
class Listener:
    """What an event is judged by, and where it leads.

    ``ours`` are roles whose changes nobody has to hear of; ``canary_reader`` is the role of the
    daily sweep. ``canary_seen`` notes that its read of a secret (ARN) has arrived, and ``count``
    what a recovery came to.
    """

    report: Callable[[Finding], Decision]
    canary_seen: Callable[[str, datetime], None]
    ours: frozenset[str]
    canary_reader: str
    count: Callable[[Recovery], None]

    def hear(self, event: object) -> dict[str, str] | None:
        """Report what an event of EventBridge tells, and return the facts for the log.

        None if the event is not for people: it may be for a workflow. Raises InvalidEvent,
        StateTableFailure, AlertNotDelivered.
        """
        if not isinstance(event, Mapping):
            return None
        detail = mapping(event, "detail")
        match text(event, "detail-type"):
            case "AWS API Call via CloudTrail":
                return self._call(detail)
            case "AWS Service Event via CloudTrail" if service_events.is_known(detail):
                return self._reported(service_events.finding(detail))
            case recoveries.DETAIL_TYPE if text(event, "source") == "rekey":
                return self._recovered(event)
            case campaigns.DETAIL_TYPE if text(event, "source") == "rekey":
                return self._reported(campaigns.finding(event))
        return None

    def _call(self, detail: Mapping[str, Any]) -> dict[str, str]:
        if text(detail, "eventName") != READ:
            return self._reported(changes.finding(detail, self.ours))
        arn = secret_arn(detail)
        if arn is None or not Caller.of(detail).is_one_of(frozenset({self.canary_reader})):
            return {"outcome": "ignored", "reason": "The read is not one of the daily sweep."}
        self.canary_seen(arn, happened_at(detail))
        return {"secret_arn": arn, "outcome": "canary-seen", "reason": "The read has arrived."}

    def _recovered(self, event: Mapping[str, Any]) -> dict[str, str]:
        """Count it once people know: until then the event comes again."""
        facts = self._reported(recoveries.finding(event))
        self.count(recoveries.recovery(event))
        return facts

    def _reported(self, finding: Finding | None) -> dict[str, str]:
        if finding is None:
            return {"outcome": "ignored", "reason": "Nobody has to hear of it."}
        decision = self.report(finding)
        return {
            "secret_arn": finding.secret or "",
            "kind": finding.kind.value,
            "incident": decision.incident.id,
            "outcome": decision.action.name.lower().replace("_", "-"),
            "reason": decision.reason,
        }
