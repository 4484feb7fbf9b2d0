"""What the workflow ``rotate`` tells at its end: an event of the type ``Rekey Campaign``."""

from collections.abc import Mapping
from typing import Any

from rekey.access.shape import mapping, text
from rekey.alerts import topics
from rekey.alerts.finding import Finding, Kind, Severity
from rekey.alerts.record import moment
from rekey.errors import InvalidEvent

DETAIL_TYPE = "Rekey Campaign"


def finding(event: Mapping[str, Any]) -> Finding:
    """Return what a person should know of a campaign. Raises InvalidEvent."""
    detail = mapping(event, "detail")
    name, said, stands = text(detail, "execution"), text(detail, "text"), detail.get("stands")
    if not (name and said) or not isinstance(stands, bool):
        raise InvalidEvent("The event of a campaign lacks its name, its result or its text.")
    look = "Open summary.json of the campaign: it says of each secret what became of it, and why."
    return Finding(
        kind=Kind.CAMPAIGN_RESULT,
        topic=topics.campaign(name),
        occurrence=text(event, "id"),
        when=moment(event, "time"),
        what=f"All stands as asked. {said}" if stands else said,
        done=(f"The run {name} has ended.",),
        next_steps=("Nothing has to be done.",) if stands else (look,),
        raised=Severity.INFORMATIONAL if stands else Severity.HIGH,
    )
