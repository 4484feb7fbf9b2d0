"""Findings that are imported into Security Hub, under a role that may do that and nothing else."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.running_account import RunningAccount
from rekey.alerts.asff import asff
from rekey.alerts.finding import Finding, Kind, Reason, Severity, Status
from rekey.alerts.report import Reporter
from rekey.aws.security_hub import SecurityHub
from rekey.incident import Place
from tests.incident_store import MemoryIncidents
from tests.unit.alerts.findings import ARN, NOW, finding
from tests.unit.alerts.test_incidents import Listener

PLACE = Place("aws", "us-east-1", "000000000000")
PRODUCT = "arn:aws:securityhub:us-east-1:000000000000:product/000000000000/default"
MANY = tuple(Reason(f"reason {n}", "usual", "seen") for n in range(30))


@pytest.fixture(scope="module")
def hub(account: RunningAccount) -> Any:
    client = account.client("securityhub")
    client.enable_security_hub()
    return client


def client_of(account: RunningAccount, *resources: str) -> Any:
    """Security Hub as a new role that may import for these products."""
    iam, name = account.client("iam"), f"importer-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    right = {"Effect": "Allow", "Action": "securityhub:BatchImportFindings"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
    iam.put_role_policy(
        RoleName=name,
        PolicyName="p",
        PolicyDocument=_policy({**right, "Resource": list(resources)}),
    )
    given = account.client("sts").assume_role(RoleArn=arn, RoleSessionName="hub")["Credentials"]
    session = boto3.Session(
        given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], "us-east-1"
    )
    return session.client("securityhub", endpoint_url=account.endpoint)


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def taken(hub: Any, incident: str) -> dict[str, Any] | None:
    wanted = [{"Value": f"{PRODUCT}/rekey/{incident}", "Comparison": "EQUALS"}]
    found = hub.get_findings(Filters={"Id": wanted})["Findings"]
    return found[0] if found else None


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"secret": None, "topic": "account"},
        {"reasons": MANY, "what": "x" * 5000, "next_steps": ("y" * 300,) * 10},
        {"reasons": (Reason("", "", ""),)},
        {"others": tuple(f"{ARN[:-1]}{n}" for n in range(9)), "secret": None, "actor": "a"},
        {"kind": Kind.UNUSUAL_ACCESS, "raised": Severity.CRITICAL},
    ],
)
def test_security_hub_takes_every_finding(
    account: RunningAccount, hub: Any, changes: dict[str, Any]
) -> None:
    made = finding(incident=uuid.uuid4().hex, **changes)
    SecurityHub(client_of(account, PRODUCT), PLACE).take(asff(made, PLACE, NOW, NOW))
    assert taken(hub, made.incident)


def test_one_incident_is_one_finding_that_is_updated_and_archived(
    account: RunningAccount, hub: Any
) -> None:
    importer = SecurityHub(client_of(account, PRODUCT), PLACE)
    moments = iter(NOW + dt.timedelta(seconds=n / 4) for n in range(100))
    reporter = Reporter(MemoryIncidents(), Listener(), hub=importer, now=lambda: next(moments))
    topic = f"access/{uuid.uuid4()}"

    def report(number: int, severity: Severity, status: Status = Status.OPEN) -> Finding:
        at = NOW + dt.timedelta(seconds=number)
        kind, name = Kind.UNUSUAL_ACCESS, str(number)
        made = finding(
            topic=topic, kind=kind, occurrence=name, when=at, raised=severity, status=status
        )
        return finding(incident=reporter.report(made).incident.id)

    said = report(0, Severity.MEDIUM)
    first = taken(hub, said.incident)
    report(1, Severity.HIGH)
    second = taken(hub, said.incident)
    report(2, Severity.HIGH, Status.SOLVED)
    last = taken(hub, said.incident)
    assert first is not None
    assert second is not None
    assert last is not None
    assert [one["Severity"]["Label"] for one in (first, second, last)] == ["MEDIUM", "HIGH", "HIGH"]
    assert [one["RecordState"] for one in (first, second, last)] == ["ACTIVE", "ACTIVE", "ARCHIVED"]
    assert first["UpdatedAt"] < second["UpdatedAt"] < last["UpdatedAt"]
    assert len({one["CreatedAt"] for one in (first, second, last)}) == 1
    assert last["Workflow"] == {"Status": "NEW"}


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        ((f"{PRODUCT}-of-others", {}), "AccessDenied"),
        ((PRODUCT, {"Title": "x" * 257}), "InvalidInput: length of Title"),
        ((PRODUCT, {"Resources": []}), "InvalidInput: number of Resources"),
        ((PRODUCT, {"CreatedAt": "2026-11-24T12:00:00"}), "InvalidInput: CreatedAt"),
        ((PRODUCT, {"AwsAccountId": "111122223333"}), "InvalidAccess"),
        ((PRODUCT, {"Types": ["Things/Happen"]}), "InvalidInput: Types"),
    ],
)
def test_a_refusal_is_logged_and_counted_and_never_in_the_way(
    account: RunningAccount,
    hub: Any,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    refused: tuple[str, dict[str, Any]],
    reason: str,
) -> None:
    product, changes = refused
    made = {**asff(finding(incident=uuid.uuid4().hex), PLACE, NOW, NOW), **changes}
    SecurityHub(client_of(account, product), PLACE).take(made)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (logged,) = [vars(one) for one in caplog.records if one.name != "botocore"]
    assert (logged["outcome"], logged["finding"]) == ("FindingNotImported", made["Id"])
    assert reason in logged["reason"]
    assert [line["FindingsNotImported"] for line in lines if "_aws" in line] == [[1.0]]
    assert taken(hub, made["Id"].rpartition("/")[2]) is None


def test_people_are_told_where_there_is_no_security_hub_and_told_once(
    account: RunningAccount, hub: Any
) -> None:
    silent = Config(connect_timeout=1, retries={"total_max_attempts": 1})
    nowhere = boto3.client(
        "securityhub",
        endpoint_url="http://127.0.0.1:1",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=silent,
    )
    hub.disable_security_hub()
    for client in (nowhere, account.client("securityhub")):
        listener = Listener()
        reporter = Reporter(MemoryIncidents(), listener, hub=SecurityHub(client, PLACE))
        for _ in range(2):
            reporter.report(finding(when=NOW))
        assert listener.said("status") == ["open"]
    hub.enable_security_hub()
