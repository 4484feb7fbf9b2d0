"""What Secrets Manager says of itself: events of the type ``AWS Service Event via CloudTrail``.

A rotation that failed or was abandoned is the recovery's business: it looks, acts and reports.

Source: Secrets Manager user guide, "AWS CloudTrail entries for Secrets Manager".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rekey.access.shape import text
from rekey.alerts import topics
from rekey.alerts.finding import Finding, Kind, Reason, Severity, Status
from rekey.alerts.record import event_id, happened_at, secret_arn
from rekey.errors import InvalidEvent


@dataclass(frozen=True)
class _Told:
    kind: Kind
    what: str
    baseline: str
    observed: str
    raised: Severity | None = None
    status: Status = Status.OPEN


EVENTS: Mapping[str, _Told] = {
    "RotationSucceeded": _Told(
        Kind.ROTATION_FAILED,
        "A rotation has succeeded since.",
        "a rotation succeeds",
        "it has succeeded",
        status=Status.SOLVED,
    ),
    "TestRotationFailed": _Told(
        Kind.ROTATION_FAILED,
        "A test of the rotation failed. Nothing was changed.",
        "the test succeeds",
        "it failed",
        Severity.LOW,
    ),
    "ReplicationFailed": _Told(
        Kind.REPLICATION_FAILED,
        "Secrets Manager could not copy the secret to a replica.",
        "replicas are in sync",
        "one is not",
    ),
    "ReplicationSucceeded": _Told(
        Kind.REPLICATION_FAILED,
        "Secrets Manager has copied the secret to its replica since.",
        "replicas are in sync",
        "they are",
        status=Status.SOLVED,
    ),
}


def is_known(detail: Mapping[str, Any]) -> bool:
    """Tell whether people may have to hear of the event; others are for workflows."""
    return text(detail, "eventName") in EVENTS


def finding(detail: Mapping[str, Any]) -> Finding | None:
    """Return what a person should know of a service event; None if there is nothing.

    Raises InvalidEvent if it names no secret: where the ARN stands differs between events.
    """
    told = EVENTS.get(text(detail, "eventName"))
    if told is None:
        return None
    arn = secret_arn(detail)
    if arn is None:
        raise InvalidEvent("The event names no secret.")
    about = topics.change("replicas", arn)
    return Finding(
        kind=told.kind,
        topic=topics.rotation(arn) if told.kind is Kind.ROTATION_FAILED else about,
        occurrence=event_id(detail),
        when=happened_at(detail),
        what=told.what,
        secret=arn,
        reasons=(Reason("What Secrets Manager reports", told.baseline, told.observed),),
        raised=told.raised,
        status=told.status,
    )
