"""A finding as AWS Security Hub takes it.

Sources: AWS Security Hub user guide, "AWS Security Finding Format (ASFF)", schema version
2018-10-08, and "BatchImportFindings for finding providers": repeated with the same Id and a newer
UpdatedAt it is an update; severity and types of an update stand in FindingProviderFields; the
workflow belongs to people.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rekey.alerts.finding import Finding, Kind, Reason, Status
from rekey.incident import Place

SCHEMA = "2018-10-08"
TYPES = {
    Kind.UNUSUAL_ACCESS: "TTPs/Credential Access",
    Kind.POLICY_OPENED: "TTPs/Credential Access",
}
POSTURE = "Software and Configuration Checks/AWS Security Best Practices"
_TITLE, _DESCRIPTION, _TEXT, _ID, _FIELDS, _RESOURCES = 256, 1024, 512, 512, 50, 32
"""Characters, members of ProductFields, and resources that Security Hub takes."""


def asff(finding: Finding, place: Place, opened: datetime, updated: datetime) -> dict[str, Any]:
    """Return the finding for BatchImportFindings, as a product of the account's own.

    ``opened`` is when the incident began, ``updated`` when this is said of it.
    """
    where = f"{place.region}:{place.account}"
    product = f"arn:{place.partition}:securityhub:{where}:product/{place.account}/default"
    severity, types = {"Label": finding.severity.value.upper()}, [TYPES.get(finding.kind, POSTURE)]
    return {
        "SchemaVersion": SCHEMA,
        "Id": f"{product}/rekey/{finding.incident}"[:_ID],
        "ProductArn": product,
        "GeneratorId": f"rekey/{finding.kind.value}",
        "AwsAccountId": place.account,
        "FindingProviderFields": {"Severity": severity, "Types": types},
        "FirstObservedAt": _time(opened),
        "CreatedAt": _time(opened),
        "UpdatedAt": _time(updated),
        "Title": finding.wording.title[:_TITLE],
        "Description": finding.what[:_DESCRIPTION],
        "Remediation": {"Recommendation": {"Text": " ".join(finding.next_steps)[:_TEXT]}},
        "ProductFields": _fields(finding),
        "Resources": list(_resources(finding, place))[:_RESOURCES],
        "RecordState": "ARCHIVED" if finding.status is Status.SOLVED else "ACTIVE",
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _resources(finding: Finding, place: Place) -> Iterator[dict[str, str]]:
    """Who did it, and what it was done to: the account if no secret is named."""
    where = {"Partition": place.partition, "Region": place.region}
    if finding.actor is not None:
        kind = _kind_of(finding.actor)
        yield {"Type": kind, "Id": finding.actor, "ResourceRole": "Actor", **where}
    for secret in finding.secrets:
        yield {"Type": "AwsSecretsManagerSecret", "Id": secret, "ResourceRole": "Target", **where}
    if not finding.secrets:
        yield {"Type": "AwsAccount", "Id": f"AWS::::Account:{place.account}", **where}


def _kind_of(actor: str) -> str:
    if ":iam::" in actor and ":role/" in actor:
        return "AwsIamRole"
    return "AwsIamUser" if ":iam::" in actor and ":user/" in actor else "Other"


def _fields(finding: Finding) -> dict[str, str]:
    named = {
        f"rekey/{number}/{name}": getattr(reason, name) or "-"
        for number, reason in enumerate(finding.reasons, 1)
        for name in Reason.__dataclass_fields__
    }
    return dict(list(named.items())[:_FIELDS])
