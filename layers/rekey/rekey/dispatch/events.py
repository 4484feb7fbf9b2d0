"""Events of EventBridge about secrets, as far as they start a workflow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rekey.dispatch.failures import Failure, failure
from rekey.errors import InvalidEvent
from rekey.model import Label

LABEL_UPDATED = "Secret Label Updated"
SERVICE_EVENT = "AWS Service Event via CloudTrail"
TYPES = (LABEL_UPDATED, SERVICE_EVENT)


@dataclass(frozen=True)
class Promotion:
    """AWSCURRENT has come to stand on a version: by a rotation, a roll back or somebody's hand."""

    secret_arn: str
    version_id: str


def parse_event(event: object) -> Promotion | Failure:
    """Return what the event tells. Raises InvalidEvent, which repeats no value of it.

    Source of the shape: AWS Secrets Manager User Guide, "Match events with Amazon EventBridge".
    """
    if not isinstance(event, Mapping) or event.get("detail-type") not in TYPES:
        raise InvalidEvent(f"The message is not an event of the type {' or '.join(TYPES)}.")
    detail = event.get("detail")
    if event["detail-type"] == SERVICE_EVENT and isinstance(detail, Mapping):
        return failure(detail)
    if not isinstance(detail, Mapping) or detail.get("labelUpdated") != Label.CURRENT:
        raise InvalidEvent(f"The event is not about {Label.CURRENT}. Correct the rule.")
    return Promotion(_arn(event), _version(detail))


def _arn(event: Mapping[str, Any]) -> str:
    match event.get("resources"):
        case [str() as arn, *_] if arn.startswith("arn:") and ":secretsmanager:" in arn:
            return arn
    raise InvalidEvent("The event names no secret in resources.")


def _version(detail: Mapping[str, Any]) -> str:
    version = detail.get("versionId")
    if isinstance(version, str) and version:
        return version
    raise InvalidEvent("The event names no version in detail.versionId.")
