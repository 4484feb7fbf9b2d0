"""A finding in the formats of other systems."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from rekey.alerts.asff import asff
from rekey.alerts.finding import Finding, Kind, Reason, Severity, Status
from rekey.alerts.ocsf import ocsf
from tests.unit.alerts.findings import ARN, FINDING, finding

ACCOUNT, REGION = "111122223333", "eu-west-1"
MANY = tuple(Reason(f"reason {n}", "usual", "seen") for n in range(30))


def hub(of: Finding) -> dict[str, Any]:
    return asff(of, ACCOUNT, REGION)


@pytest.mark.parametrize(
    "of",
    [
        FINDING,
        finding(secret=None, topic="account"),
        finding(reasons=MANY, what="x" * 5000, next_steps=("y" * 300,) * 10),
        finding(status=Status.SOLVED),
        finding(kind=Kind.UNUSUAL_ACCESS, raised=Severity.CRITICAL),
    ],
)
def test_security_hub_takes_every_finding(of: Finding) -> None:
    model = botocore.session.get_session().get_service_model("securityhub")
    shape = model.operation_model("BatchImportFindings").input_shape
    assert shape is not None
    report = ParamValidator().validate({"Findings": [hub(of)]}, shape)
    assert not report.has_errors(), report.generate_report()
    assert len(hub(of)["Description"]) <= 1024
    assert len(hub(of)["ProductFields"]) <= 50
    assert len(hub(of)["Remediation"]["Recommendation"]["Text"]) <= 512


def test_an_update_has_the_id_of_its_incident_and_a_solution_is_archived() -> None:
    first, last = hub(FINDING), hub(finding(status=Status.SOLVED))
    assert first["Id"] == last["Id"]
    assert (first["RecordState"], last["RecordState"]) == ("ACTIVE", "ARCHIVED")
    assert first["Resources"][0]["Id"] == ARN


@pytest.mark.parametrize("severity", Severity)
def test_severities_keep_their_order(severity: Severity) -> None:
    of = finding(raised=severity)
    assert hub(of)["Severity"]["Label"] == severity.name
    assert ocsf(of, ACCOUNT, REGION)["severity_id"] == severity.rank + 1


def test_an_ocsf_event_holds_baseline_and_observation_of_every_reason() -> None:
    event = ocsf(finding(kind=Kind.UNUSUAL_ACCESS, reasons=MANY[:2]), ACCOUNT, REGION)
    (analysis,) = event["anomaly_analyses"]
    parameters = ["reason 0", "reason 1"]
    for name, value in (("anomalies", "seen"), ("baselines", "usual")):
        assert [one["observation_parameter"] for one in analysis[name]] == parameters
        assert analysis[name][0]["observations"] == [{"value": value}]
    assert analysis["analysis_targets"][0]["name"] == ARN


@pytest.mark.parametrize(
    ("status", "activity"), [(Status.OPEN, 1), (Status.UPDATED, 2), (Status.SOLVED, 3)]
)
def test_an_ocsf_event_says_what_became_of_the_finding(status: Status, activity: int) -> None:
    event = ocsf(finding(status=status), ACCOUNT, REGION)
    assert (event["class_uid"], event["type_uid"]) == (2004, 200400 + activity)
