"""A record of CloudTrail about a secret: which secret, when, and who, for a person to read.

Sources: CloudTrail user guide, "CloudTrail record contents"; Secrets Manager user guide, "AWS
CloudTrail entries for Secrets Manager".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rekey.access.principal import Principal, PrincipalKind, principal
from rekey.access.shape import mapping, text
from rekey.alerts.finding import SECRET_ARN
from rekey.alerts.text import quoted
from rekey.errors import InvalidEvent


def secret_arn(detail: Mapping[str, Any]) -> str | None:
    """Return the ARN of the secret that a record is about, from wherever it may stand.

    Service events have it in one place or another, calls in their answer; what the caller sent
    comes last, because a caller may send a name or an ARN without its ending. None if no place
    has an ARN.
    """
    return next((arn for arn in _places(detail) if SECRET_ARN.fullmatch(arn)), None)


def _places(detail: Mapping[str, Any]) -> Iterator[str]:
    additional = mapping(detail, "additionalEventData")
    yield from (text(additional, name) for name in ("SecretId", "ARN"))
    yield text(mapping(detail, "serviceEventDetails"), "secretId")
    resources = detail.get("resources")
    for resource in resources if isinstance(resources, list) else ():
        if isinstance(resource, dict):
            yield text(resource, "ARN")
    elements = mapping(detail, "responseElements")
    yield from (text(elements, name) for name in ("arn", "aRN", "ARN"))
    yield text(mapping(detail, "requestParameters"), "secretId")


def happened_at(detail: Mapping[str, Any]) -> datetime:
    """Return when it happened. Raises InvalidEvent."""
    return moment(detail, "eventTime")


def moment(document: Mapping[str, Any], key: str) -> datetime:
    """Return the time under ``key``, aware. Raises InvalidEvent."""
    try:
        found = datetime.fromisoformat(text(document, key))
    except ValueError:
        raise InvalidEvent(f"The event has no time ({key}).") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def event_id(detail: Mapping[str, Any]) -> str:
    """Return what a repeated delivery has in common. Raises InvalidEvent."""
    found = text(detail, "sharedEventID") or text(detail, "eventID")
    if not found:
        raise InvalidEvent("The record has no id (eventID).")
    return found


@dataclass(frozen=True)
class Caller:
    """Who made the call, by what CloudTrail's userIdentity says."""

    principal: Principal | None

    @classmethod
    def of(cls, detail: Mapping[str, Any]) -> "Caller":
        """Return the caller of a record."""
        return cls(principal(mapping(detail, "userIdentity")))

    @property
    def is_service(self) -> bool:
        """Whether a service of AWS acted on its own behalf."""
        return self.principal is not None and self.principal.kind is PrincipalKind.SERVICE

    def is_one_of(self, roles: frozenset[str]) -> bool:
        """Tell whether the caller's role is among ``roles`` (ARNs of IAM roles)."""
        return self.principal is not None and self.principal.role_arn in roles

    def __str__(self) -> str:
        """Say it to a person: the role by its name, and the session."""
        who = self.principal
        if who is None:
            return "Somebody whom the record does not name"
        kind = f"The {who.kind.value}" if who.kind is not PrincipalKind.ROOT else "The root user"
        account = f" of the account {quoted(who.account)}" if who.account else ""
        if who.kind is PrincipalKind.ROOT:
            return f"{kind}{account}"
        session = f", session {quoted(who.session)}," if who.session else ""
        return f"{kind} {quoted(_name(who))}{session}{account}"


def _name(who: Principal) -> str:
    if who.kind is PrincipalKind.PERSON:
        return who.key.split(":")[2]
    return who.key.rpartition("/")[2]
