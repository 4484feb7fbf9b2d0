"""An incident as a finding that people get."""

from dataclasses import dataclass
from datetime import UTC, datetime

from rekey.access.judge import Incident
from rekey.access.secret import name_of
from rekey.access.signal import Level
from rekey.alerts.finding import Finding, Kind, Reason, Severity
from rekey.alerts.report import Reporter
from rekey.alerts.text import quoted

NAMED = 5


@dataclass(frozen=True)
class People:
    """See Teller: what was told is told once, as the reporter keeps what was said."""

    reporter: Reporter

    def tell(self, incident: Incident) -> None:
        """See Teller. Raises StateTableFailure or AlertNotDelivered."""
        self.reporter.report(finding(incident))


def finding(incident: Incident) -> Finding:
    """Return what people are told of an incident. Names are the caller's choice, so quoted."""
    return Finding(
        Kind.UNUSUAL_ACCESS,
        topic=f"access/{incident.id}",
        occurrence=incident.occurrence,
        when=datetime.fromtimestamp(incident.last, UTC),
        what=f"{quoted(incident.principal)} {_did(incident)}",
        secret=incident.secrets[0] if len(incident.secrets) == 1 else None,
        reasons=tuple(
            Reason(reason.what, quoted(reason.baseline), quoted(reason.observed))
            for reason in incident.reasons
        ),
        raised=_severity(incident.level),
    )


def _did(incident: Incident) -> str:
    since = datetime.fromtimestamp(incident.first, UTC).strftime("%Y-%m-%d %H:%M UTC")
    named = ", ".join(quoted(name_of(arn)) for arn in incident.secrets[:NAMED])
    rest = incident.count - min(len(incident.secrets), NAMED)
    more = f" and {rest} more" if rest > 0 else ""
    about = f" It concerns {named}{more}." if named else ""
    return f"uses secrets in an unusual way since {since}.{about}"


def _severity(level: Level) -> Severity:
    return Severity(level.value)
