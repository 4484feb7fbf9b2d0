"""A finding as an event of the Open Cybersecurity Schema Framework: Detection Finding.

Source: OCSF schema 1.5.0, class ``detection_finding`` (class_uid 2004), object
``anomaly_analysis``: each reason is an anomaly with what was observed beside its baseline.
"""

from typing import Any

from rekey.alerts.finding import Finding, Reason, Severity, Status

VERSION = "1.5.0"
CLASS, CATEGORY = 2004, 2
SEVERITIES = {
    Severity.INFORMATIONAL: 1,
    Severity.LOW: 2,
    Severity.MEDIUM: 3,
    Severity.HIGH: 4,
    Severity.CRITICAL: 5,
}
ACTIVITIES = {Status.OPEN: 1, Status.UPDATED: 2, Status.SOLVED: 3}
"""Create, update, close."""
NEW, RESOLVED = 1, 4


def ocsf(finding: Finding, account: str, region: str) -> dict[str, Any]:
    """Return the event. Times are in milliseconds."""
    activity, time = ACTIVITIES[finding.status], int(finding.when.timestamp() * 1000)
    return {
        "category_uid": CATEGORY,
        "class_uid": CLASS,
        "activity_id": activity,
        "type_uid": CLASS * 100 + activity,
        "time": time,
        "severity_id": SEVERITIES[finding.severity],
        "status_id": RESOLVED if finding.status is Status.SOLVED else NEW,
        "message": finding.what,
        "count": finding.count,
        "metadata": {
            "version": VERSION,
            "product": {"name": "Rekey", "vendor_name": "Rekey"},
            "profiles": ["cloud"],
        },
        "cloud": {"provider": "AWS", "region": region, "account": {"uid": account}},
        "finding_info": {
            "uid": finding.incident,
            "title": finding.wording.title,
            "desc": finding.what,
            "types": [finding.kind.value],
            "modified_time": time,
        },
        "resources": _resources(finding),
        "anomaly_analyses": _analyses(finding),
        "remediation": {"desc": " ".join(finding.next_steps)},
    }


def _resources(finding: Finding) -> list[dict[str, Any]]:
    if finding.secret is None:
        return []
    owner = {"owner": {"name": finding.owner}} if finding.owner else {}
    return [{"uid": finding.secret, "type": "AWS::SecretsManager::Secret", **owner}]


def _analyses(finding: Finding) -> list[dict[str, Any]]:
    if not finding.reasons:
        return []
    target = {"name": finding.secret or finding.topic, "type": "secret"}
    return [
        {
            "analysis_targets": [target],
            "anomalies": [_observed(reason, reason.observed) for reason in finding.reasons],
            "baselines": [_observed(reason, reason.baseline) for reason in finding.reasons],
        }
    ]


def _observed(reason: Reason, value: str) -> dict[str, Any]:
    return {"observation_parameter": reason.what, "observations": [{"value": value}]}
