"""Whether Rekey can see at all: trails, what they log, and a canary whose read must arrive.

Source: CloudTrail API reference, "EventSelector" and "AdvancedFieldSelector".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rekey.alerts import topics
from rekey.alerts.finding import Finding, Kind, Reason, Status
from rekey.alerts.text import quoted
from rekey.watched import Canary, Trail

KMS = "kms.amazonaws.com"
SECRETS_MANAGER = "secretsmanager.amazonaws.com"

ARRIVAL = timedelta(hours=1)
"""CloudTrail delivers within minutes, as a rule."""

SKEW = timedelta(minutes=1)
"""Between the clock of the sweep and that of CloudTrail's records."""


@dataclass(frozen=True)
class _Judged:
    """Whether there is a blindness of this kind, and what to say if there is."""

    kind: Kind
    blind: bool
    what: str
    reason: Reason


def of_trails(trails: tuple[Trail, ...], place: str, now: datetime) -> tuple[Finding, ...]:
    """Return a finding for each kind of blindness: open where there is one, solved elsewhere.

    ``place`` is account and region. Without a trail, the rest is not judged.
    """
    logging = [trail for trail in trails if trail.logging]
    no_trail = _Judged(
        Kind.NO_TRAIL,
        not logging,
        "No trail logs management events of this region: Rekey sees no change and no read.",
        Reason("Trails that log", "at least one", f"none; trails that exist: {_names(trails)}"),
    )
    judged = (no_trail, *(_of_logging(logging) if logging else ()))
    return tuple(_finding(each, place, now) for each in judged)


def _of_logging(trails: Sequence[Trail]) -> Iterator[_Judged]:
    yield _Judged(
        Kind.READS_NOT_LOGGED,
        not _any_logs(trails, SECRETS_MANAGER),
        "No trail logs reads of secrets: Rekey does not see who reads them.",
        Reason("Trails that log reads", "at least one", f"none of {_names(trails)}"),
    )
    yield _Judged(
        Kind.KMS_NOT_LOGGED,
        not _any_logs(trails, KMS),
        "No trail logs the use of keys: Rekey does not see which version of a secret was read.",
        Reason("Trails that log AWS KMS", "at least one", f"none of {_names(trails)}"),
    )


def of_canary(arn: str, canary: Canary, now: datetime) -> Finding | None:
    """Judge whether the last read has arrived; None while it is too early to tell."""
    if canary.read is None or canary.read + ARRIVAL > now:
        return None
    arrived = canary.seen is not None and canary.seen + SKEW >= canary.read
    seen = f"{canary.seen:%Y-%m-%d %H:%M} UTC" if canary.seen else "never"
    judged = _Judged(
        Kind.CANARY_NOT_SEEN,
        not arrived,
        "The sweep read the canary secret, and no event about it has arrived.",
        Reason(f"Read of {canary.read:%Y-%m-%d %H:%M} UTC", "arrives", f"last arrival: {seen}"),
    )
    return _finding(judged, arn, now, secret=arn)


def _finding(judged: _Judged, place: str, now: datetime, secret: str | None = None) -> Finding:
    said = judged.what if judged.blind else "Rekey sees again."
    return Finding(
        kind=judged.kind,
        topic=topics.blindness(judged.kind.value, place),
        occurrence=f"sweep-{now:%Y-%m-%d}",
        when=now,
        what=f"{said} Place: {place}.",
        secret=secret,
        reasons=(judged.reason,) if judged.blind else (),
        status=Status.OPEN if judged.blind else Status.SOLVED,
    )


def _names(trails: Sequence[Trail]) -> str:
    return ", ".join(quoted(trail.name) for trail in trails) or "none"


def _any_logs(trails: Sequence[Trail], source: str) -> bool:
    return any(_logs(selector, source) for trail in trails for selector in trail.selectors)


def _logs(selector: Mapping[str, Any], source: str) -> bool:
    """Tell whether a selector lets read-only management events of a service through."""
    if "FieldSelectors" in selector:
        return _advanced_logs(selector["FieldSelectors"], source)
    return (
        selector.get("IncludeManagementEvents", True)
        and selector.get("ReadWriteType", "All") in ("All", "ReadOnly")
        and source not in selector.get("ExcludeManagementEventSources", ())
    )


def _advanced_logs(fields: list[Mapping[str, Any]], source: str) -> bool:
    event = {"eventCategory": "Management", "readOnly": "true", "eventSource": source}
    return all(_matches(field, event.get(field["Field"])) for field in fields)


def _matches(field: Mapping[str, Any], value: str | None) -> bool:
    """Fields that are not about what is asked (such as a session) let it through by some caller."""
    if value is None:
        return True
    starts, ends = tuple(field.get("StartsWith", ())), tuple(field.get("EndsWith", ()))
    return (
        value in field.get("Equals", [value])
        and value not in field.get("NotEquals", ())
        and (not starts or value.startswith(starts))
        and (not ends or value.endswith(ends))
        and not value.startswith(tuple(field.get("NotStartsWith", ())))
        and not value.endswith(tuple(field.get("NotEndsWith", ())))
    )
