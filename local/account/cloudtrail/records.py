"""The shape of a record. Source: CloudTrail user guide, "CloudTrail record contents"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import new_uuid

from local.account import clock
from local.account.cloudtrail.trail import Record

VERSION = "1.09"


@dataclass(frozen=True)
class Origin:
    """Who called, from where, and when; a companion record has the same origin as its call."""

    identity: dict[str, Any]
    account: str
    region: str
    address: str
    agent: str
    time: str

    def by(self, service: str) -> Origin:
        """The same caller, with a service of AWS calling in its name."""
        return Origin(
            identity={**self.identity, "invokedBy": service},
            account=self.account,
            region=self.region,
            address=service,
            agent=service,
            time=self.time,
        )


@dataclass(frozen=True)
class Outcome:
    """What the call was given and what it answered, as far as CloudTrail shows it."""

    parameters: dict[str, Any] | None = None
    elements: dict[str, Any] | None = None
    error: tuple[str, str] | None = None


def now() -> str:
    return datetime.fromtimestamp(clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def record(origin: Origin, source: str, name: str, *, read_only: bool, event_type: str) -> Record:
    """What every record has; the callers add what belongs to theirs."""
    return {
        "eventVersion": VERSION,
        "userIdentity": origin.identity,
        "eventTime": origin.time,
        "eventSource": source,
        "eventName": name,
        "awsRegion": origin.region,
        "sourceIPAddress": origin.address,
        "userAgent": origin.agent,
        "requestParameters": None,
        "responseElements": None,
        "eventID": new_uuid(),
        "readOnly": read_only,
        "eventType": event_type,
        "managementEvent": True,
        "recipientAccountId": origin.account,
        "eventCategory": "Management",
    }


def api_call(
    origin: Origin, service: str, name: str, outcome: Outcome, *, read_only: bool, request_id: str
) -> Record:
    """A call of `service` (its name in the endpoint, such as `secretsmanager`)."""
    source = f"{service}.amazonaws.com"
    made = record(origin, source, name, read_only=read_only, event_type="AwsApiCall")
    made["requestID"] = request_id
    made["requestParameters"] = outcome.parameters
    made["responseElements"] = outcome.elements
    if outcome.error:
        made["errorCode"], made["errorMessage"] = outcome.error
    return made


def tls_details(service: str, region: str) -> dict[str, str]:
    """Calls come without TLS here; on AWS none do, so the record says what AWS would see."""
    return {
        "tlsVersion": "TLSv1.3",
        "cipherSuite": "TLS_AES_128_GCM_SHA256",
        "clientProvidedHostHeader": f"{service}.{region}.amazonaws.com",
    }
