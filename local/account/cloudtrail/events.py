"""What Secrets Manager does on its own: rotations, their end, and deletions.

Source: Secrets Manager user guide, "AWS CloudTrail entries for Secrets Manager", the part on
events that are not API calls.
"""

from __future__ import annotations

from local.account.cloudtrail.records import Origin, now, record
from local.account.cloudtrail.trail import publish

SERVICE = "secretsmanager.amazonaws.com"


def record_service_event(
    name: str,
    secret_arn: str,
    *,
    error_message: str | None = None,
    request_id: str | None = None,
) -> None:
    """`name` such as RotationStarted; account and region are those of the secret's ARN."""
    _, _, _, region, account, *_ = secret_arn.split(":")
    identity = {"accountId": account, "invokedBy": SERVICE}
    origin = Origin(identity, account, region, address=SERVICE, agent=SERVICE, time=now())
    made = record(origin, SERVICE, name, read_only=False, event_type="AwsServiceEvent")
    made["additionalEventData"] = {"SecretId": secret_arn}
    if error_message is not None:
        made["errorMessage"] = error_message
    if request_id is not None:
        made["requestID"] = request_id
    publish(made)
