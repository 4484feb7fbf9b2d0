"""A finding as AWS Security Hub takes it.

Source: AWS Security Hub user guide, "AWS Security Finding Format", schema version 2018-10-08.
Repeated with the same Id and a newer UpdatedAt it is an update.
"""

from datetime import UTC
from typing import Any

from rekey.alerts.finding import Finding, Kind, Reason, Status

SCHEMA = "2018-10-08"
TYPES = {
    Kind.UNUSUAL_ACCESS: "TTPs/Credential Access",
    Kind.POLICY_OPENED: "TTPs/Credential Access",
}
POSTURE = "Software and Configuration Checks/AWS Security Best Practices"
_TITLE, _DESCRIPTION, _TEXT, _FIELDS = 256, 1024, 512, 50
"""Characters, and members of ProductFields, that Security Hub takes."""


def asff(finding: Finding, account: str, region: str, partition: str = "aws") -> dict[str, Any]:
    """Return the finding for BatchImportFindings, as a product of the account's own."""
    product = f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default"
    time = finding.when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {
        "SchemaVersion": SCHEMA,
        "Id": f"{product}/rekey/{finding.incident}",
        "ProductArn": product,
        "GeneratorId": f"rekey/{finding.kind.value}",
        "AwsAccountId": account,
        "Types": [TYPES.get(finding.kind, POSTURE)],
        "CreatedAt": time,
        "UpdatedAt": time,
        "Severity": {"Label": finding.severity.value.upper()},
        "Title": finding.wording.title[:_TITLE],
        "Description": finding.what[:_DESCRIPTION],
        "Remediation": {"Recommendation": {"Text": " ".join(finding.next_steps)[:_TEXT]}},
        "ProductFields": _fields(finding),
        "Resources": [_resource(finding, account, region, partition)],
        "RecordState": "ARCHIVED" if finding.status is Status.SOLVED else "ACTIVE",
        "Workflow": {"Status": "RESOLVED" if finding.status is Status.SOLVED else "NEW"},
    }


def _resource(finding: Finding, account: str, region: str, partition: str) -> dict[str, str]:
    where = {"Partition": partition, "Region": region}
    if finding.secret is None:
        return {"Type": "AwsAccount", "Id": f"AWS::::Account:{account}", **where}
    return {"Type": "AwsSecretsManagerSecret", "Id": finding.secret, **where}


def _fields(finding: Finding) -> dict[str, str]:
    named = {
        f"rekey/{number}/{name}": getattr(reason, name)
        for number, reason in enumerate(finding.reasons, 1)
        for name in Reason.__dataclass_fields__
    }
    return dict(list(named.items())[:_FIELDS])
