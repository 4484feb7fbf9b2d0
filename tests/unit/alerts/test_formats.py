"""A finding in the formats of other systems."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from rekey.alerts.asff import asff
from rekey.alerts.finding import Finding, Kind, Reason, Severity, Status
from rekey.alerts.ocsf import ocsf
from rekey.incident import Place
from tests.unit.alerts.findings import ARN, FINDING, NOW, finding

ACCOUNT, REGION = "111122223333", "eu-west-1"
SCHEMA = json.loads((Path(__file__).parent / "data" / "ocsf-1.5.0.json").read_text())
CLASSES = {2003: "compliance_finding", 2004: "detection_finding"}
KINDS = {"integer_t": int, "long_t": int, "timestamp_t": int, "boolean_t": bool}
MANY = tuple(Reason(f"reason {n}", "usual", "seen") for n in range(30))


PLACE = Place("aws", REGION, ACCOUNT)
LATER = NOW + dt.timedelta(minutes=3)


def hub(of: Finding, place: Place = PLACE) -> dict[str, Any]:
    return asff(of, place, NOW, LATER)


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
    assert (first["CreatedAt"], first["UpdatedAt"]) == (
        "2026-11-24T12:00:00.000Z", "2026-11-24T12:03:00.000Z",
    )  # fmt: skip


def test_what_an_update_may_not_change_stands_where_providers_put_it() -> None:
    made = hub(finding(raised=Severity.HIGH))
    assert made["FindingProviderFields"]["Severity"] == {"Label": "HIGH"}
    assert not {"Severity", "Types", "Workflow", "Note"} & made.keys()


@pytest.mark.parametrize(
    ("partition", "region"),
    [("aws", "eu-west-1"), ("aws-us-gov", "us-gov-west-1"), ("aws-cn", "cn-north-1")],
)
def test_the_product_is_the_accounts_own_in_every_partition(partition: str, region: str) -> None:
    topic = f"arn:{partition}:sns:{region}:{ACCOUNT}:alerts"
    made = hub(FINDING, Place.of(topic))
    product = f"arn:{partition}:securityhub:{region}:{ACCOUNT}:product/{ACCOUNT}/default"
    assert made["ProductArn"] == product
    assert made["Id"] == f"{product}/rekey/{FINDING.incident}"
    assert made["Resources"][0]["Partition"] == partition


@pytest.mark.parametrize(
    ("actor", "kind"),
    [
        (f"arn:aws:iam::{ACCOUNT}:role/app", "AwsIamRole"),
        (f"arn:aws:iam::{ACCOUNT}:user/bob", "AwsIamUser"),
        (f"person:{ACCOUNT}:Developer:ann", "Other"),
    ],
)
def test_who_did_it_and_what_it_was_done_to_are_resources(actor: str, kind: str) -> None:
    others = tuple(ARN.replace("app/db", f"app/{n}") for n in range(40))
    made = hub(finding(secret=None, others=others, actor=actor))["Resources"]
    assert (made[0]["Type"], made[0]["Id"], made[0]["ResourceRole"]) == (kind, actor, "Actor")
    assert {one["Type"] for one in made[1:]} == {"AwsSecretsManagerSecret"}
    assert len(made) == 32


@pytest.mark.parametrize("severity", Severity)
def test_severities_keep_their_order(severity: Severity) -> None:
    of = finding(raised=severity)
    assert hub(of)["FindingProviderFields"]["Severity"]["Label"] == severity.name
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


def faults(name: str, made: dict[str, Any]) -> Iterator[str]:
    """What the schema does not allow in an event or an object of this name."""
    schema = SCHEMA[name]
    yield from (f"{name} lacks {one}" for one in schema["required"] if one not in made)
    wanted = schema["constraints"].get("at_least_one")
    if wanted and not made.keys() & set(wanted):
        yield f"{name} has none of {wanted}"
    for key, value in made.items():
        if key not in schema["attributes"]:
            yield f"{name} knows no {key}"
            continue
        kind, _, values = schema["attributes"][key].partition(" ")
        if kind.endswith("[]") != isinstance(value, list):
            yield f"{name}.{key}: {kind}"
        for each in value if isinstance(value, list) else [value]:
            yield from _faults_of(f"{name}.{key}", kind.removesuffix("[]"), values, each)


def _faults_of(where: str, kind: str, values: str, value: Any) -> Iterator[str]:
    if kind in SCHEMA:
        yield from faults(kind, value)
    elif type(value) is not KINDS.get(kind, str):
        yield f"{where}: {kind}"
    elif values and str(value) not in values.split(","):
        yield f"{where}: {value}"


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("kind", Kind)
def test_every_finding_is_an_event_of_ocsf(kind: Kind, status: Status) -> None:
    for changes in ({}, {"secret": None, "owner": None, "actor": "a"}, {"reasons": ()}):
        event = ocsf(finding(kind=kind, status=status, **changes), ACCOUNT, REGION)
        assert list(faults(CLASSES[event["class_uid"]], event)) == []
        assert event["category_uid"] == 2


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"time": "now"}, "detection_finding.time: timestamp_t"),
        ({"severity_id": 17}, "detection_finding.severity_id: 17"),
        ({"colour": "red"}, "detection_finding knows no colour"),
        ({"finding_info": {}}, "finding_info lacks uid"),
        ({"resources": [{"type": "x"}]}, "resource_details has none of ['name', 'uid']"),
        ({"resources": {}}, "detection_finding.resources: resource_details[]"),
    ],
)
def test_what_is_no_event_of_ocsf_is_found(changes: dict[str, Any], found: str) -> None:
    event = {**ocsf(FINDING, ACCOUNT, REGION), **changes}
    assert found in list(faults("detection_finding", event))


def test_what_is_not_as_it_should_be_is_a_compliance_finding_until_it_is() -> None:
    events = [
        ocsf(finding(kind=Kind.NO_TRAIL, status=status), ACCOUNT, REGION)
        for status in (Status.OPEN, Status.SOLVED)
    ]
    assert [event["type_uid"] for event in events] == [200301, 200303]
    assert [event["compliance"]["status_id"] for event in events] == [3, 1]
    assert "DatabaseUnreachable" in events[0]["compliance"]["status_details"][0]


@pytest.mark.parametrize(("kind", "status_id"), [(Kind.UNUSUAL_ACCESS, 5), (Kind.POLICY_OPENED, 4)])
def test_what_only_went_quiet_is_archived_and_not_resolved(kind: Kind, status_id: int) -> None:
    assert ocsf(finding(kind=kind, status=Status.SOLVED), ACCOUNT, REGION)["status_id"] == status_id
