"""A finding as an event of the Open Cybersecurity Schema Framework.

Source: OCSF schema 1.5.0. What somebody did is a Detection Finding (``detection_finding``), whose
reasons are anomalies with what was observed beside its baseline (``anomaly_analysis``). What is
not as it should be is a Compliance Finding (``compliance_finding``).
"""

from typing import Any

from rekey.alerts.finding import Finding, Kind, Reason, Severity, Status

VERSION = "1.5.0"
CATEGORY, DETECTION, COMPLIANCE = 2, 2004, 2003
POSTURE = frozenset(
    {
        Kind.NO_TRAIL,
        Kind.READS_NOT_LOGGED,
        Kind.KMS_NOT_LOGGED,
        Kind.CANARY_NOT_SEEN,
        Kind.NEVER_ROTATED,
        Kind.OVERDUE,
    }
)
SEVERITIES = {
    Severity.INFORMATIONAL: 1,
    Severity.LOW: 2,
    Severity.MEDIUM: 3,
    Severity.HIGH: 4,
    Severity.CRITICAL: 5,
}
ACTIVITIES = {Status.OPEN: 1, Status.UPDATED: 2, Status.SOLVED: 3}
"""Create, update, close."""
NEW, RESOLVED, ARCHIVED = 1, 4, 5
PASS, FAIL = 1, 3


def ocsf(finding: Finding, account: str, region: str) -> dict[str, Any]:
    """Return the event. Times are in milliseconds."""
    activity, time = ACTIVITIES[finding.status], int(finding.when.timestamp() * 1000)
    class_uid = COMPLIANCE if finding.kind in POSTURE else DETECTION
    return {
        "category_uid": CATEGORY,
        "class_uid": class_uid,
        "activity_id": activity,
        "type_uid": class_uid * 100 + activity,
        "time": time,
        "severity_id": SEVERITIES[finding.severity],
        "status_id": _status(finding),
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
        "remediation": {"desc": " ".join(finding.next_steps)},
        **(_compliance(finding) if class_uid == COMPLIANCE else _detection(finding)),
    }


def _status(finding: Finding) -> int:
    """What only went quiet is archived: nobody has resolved it."""
    if finding.status is not Status.SOLVED:
        return NEW
    return ARCHIVED if finding.wording.fades else RESOLVED


def _compliance(finding: Finding) -> dict[str, Any]:
    details = [f"{r.what}: usual {r.baseline}, observed {r.observed}" for r in finding.reasons]
    status = PASS if finding.status is Status.SOLVED else FAIL
    about = {"control": finding.kind.value, "status_id": status, "status_details": details}
    return {"compliance": about}


def _detection(finding: Finding) -> dict[str, Any]:
    by = [{"actor": {"user": {"uid": finding.actor}}}] if finding.actor else []
    return {"anomaly_analyses": _analyses(finding), "evidences": by}


def _resources(finding: Finding) -> list[dict[str, Any]]:
    owner = {"owner": {"name": finding.owner}} if finding.owner else {}
    kind = "AWS::SecretsManager::Secret"
    return [{"uid": secret, "type": kind, **owner} for secret in finding.secrets]


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
