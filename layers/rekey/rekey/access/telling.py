"""An incident as a finding that people get."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from rekey.access.judge import Incident
from rekey.access.ports import Agenda
from rekey.access.secret import name_of
from rekey.access.signal import Level
from rekey.alerts.finding import SECRET_ARN, Finding, Kind, Reason, Severity, Status
from rekey.alerts.report import Reporter
from rekey.alerts.text import quoted
from rekey.known import SET_CAPS, Open

NAMED = 5
CLOSED_STEPS = (
    "Nothing, if somebody knows that it was meant.",
    "If nobody has looked yet: ask the person or team behind the principal. Quiet is no proof.",
)


@dataclass(frozen=True)
class People:
    """See Teller: what was told is told once, as the reporter keeps what was said."""

    reporter: Reporter
    agenda: Agenda

    def tell(self, incident: Incident) -> None:
        """See Teller. Raises StateTableFailure or AlertNotDelivered.

        What people hear of has to end some day, so that is noted before.
        """
        self.agenda.note(Open(incident.key, incident.occurrence, incident.expires))
        self.reporter.report(finding(incident))


def finding(incident: Incident) -> Finding:
    """Return what people are told of an incident. Names are the caller's choice, so quoted."""
    # What was denied need not be the name of any secret.
    named = tuple(filter(SECRET_ARN.fullmatch, incident.secrets))
    return Finding(
        Kind.UNUSUAL_ACCESS,
        topic=f"access/{incident.id}",
        occurrence=incident.occurrence,
        when=datetime.fromtimestamp(incident.last, UTC),
        what=f"{quoted(incident.principal)} {_did(incident)}",
        secret=named[0] if len(named) == len(incident.secrets) == 1 else None,
        others=named if len(incident.secrets) > 1 else (),
        actor=incident.principal,
        reasons=tuple(
            Reason(reason.what, quoted(reason.baseline), quoted(reason.observed))
            for reason in incident.reasons
        ),
        raised=_severity(incident.level),
    )


def closing(incident: Incident, why: str, now: datetime) -> Finding:
    """Return that an incident is over. Whether it was meant, only a person can say."""
    return replace(
        finding(incident),
        occurrence=f"closed-{incident.occurrence}-{incident.last}",
        when=now,
        done=(why,),
        next_steps=CLOSED_STEPS,
        status=Status.SOLVED,
    )


def _did(incident: Incident) -> str:
    since = datetime.fromtimestamp(incident.first, UTC).strftime("%Y-%m-%d %H:%M UTC")
    named = ", ".join(quoted(name_of(arn)) for arn in incident.secrets[:NAMED])
    rest = incident.count - min(len(incident.secrets), NAMED)
    full = incident.count >= SET_CAPS["marks"]
    more = f" and {rest} {'or more others' if full else 'more'}" if rest > 0 else ""
    about = f" It concerns {named}{more}." if named else ""
    return f"uses secrets in an unusual way since {since}.{about}"


def _severity(level: Level) -> Severity:
    return Severity(level.value)
