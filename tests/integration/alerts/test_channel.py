"""What a subscriber and a rule on the bus get."""

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from local.running_account import RunningAccount
from rekey.alerts.finding import Kind, Severity
from rekey.alerts.message import message
from rekey.aws.alerts import Alerts
from rekey.errors import AlertNotDelivered
from tests.inbox import Inbox
from tests.unit.alerts.findings import ARN, FINDING, finding


@pytest.fixture
def topic(account: RunningAccount) -> str:
    name = f"alerts-{uuid.uuid4().hex[:8]}"
    return str(account.client("sns").create_topic(Name=name)["TopicArn"])


@pytest.fixture
def alerts(account: RunningAccount, topic: str) -> Alerts:
    return Alerts(account.client("sns"), account.client("events"), topic)


def test_a_program_gets_the_plain_json_with_the_attributes_for_filters(
    account: RunningAccount, alerts: Alerts, topic: str
) -> None:
    box = Inbox.make(account).subscribe(topic)
    alerts.publish(message(FINDING))
    (note,) = box.first(1)
    assert json.loads(note["Message"]) == json.loads(message(FINDING).document)
    assert note["Subject"] == message(FINDING).subject
    values = {name: value["Value"] for name, value in note["MessageAttributes"].items()}
    assert values == message(FINDING).attributes


def test_a_filter_policy_lets_through_what_it_asks_for(
    account: RunningAccount, alerts: Alerts, topic: str
) -> None:
    policy = '{"severity": ["high", "critical"]}'
    severe = Inbox.make(account).subscribe(topic, FilterPolicy=policy)
    alerts.publish(message(FINDING))
    alerts.publish(message(finding(raised=Severity.CRITICAL, secret=None, owner=None)))
    (note,) = severe.first(1)
    assert json.loads(note["Message"])["severity"] == "critical"


def test_a_rule_on_the_bus_gets_the_finding_as_an_event(
    account: RunningAccount, alerts: Alerts
) -> None:
    box, events, name = (
        Inbox.make(account),
        account.client("events"),
        f"rule-{uuid.uuid4().hex[:8]}",
    )
    incident = uuid.uuid4().hex
    pattern = {
        "source": ["rekey"],
        "detail-type": ["Rotation failed"],
        "detail": {"incident": [incident], "severity": ["medium"]},
    }
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": box.arn}])
    alerts.publish(message(finding(incident=incident)))
    (event,) = box.first(1)
    assert event["resources"] == [ARN]
    assert event["detail"]["schema"] == "rekey.finding/1"


def test_what_is_not_for_people_reaches_programs_on_the_bus_alone(
    account: RunningAccount, alerts: Alerts, topic: str
) -> None:
    people, programs = Inbox.make(account).subscribe(topic), Inbox.make(account)
    events, name, incident = account.client("events"), uuid.uuid4().hex, uuid.uuid4().hex
    pattern = {"source": ["rekey"], "detail": {"incident": [incident]}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": programs.arn}])
    made = message(finding(incident=incident, kind=Kind.UNUSUAL_ACCESS, raised=Severity.LOW))
    alerts.publish(replace(made, for_people=False))
    assert len(programs.first(1)) == 1
    alerts.publish(made)
    assert len(people.first(1)) == 1
    assert len(programs.first(2)) == 2


def test_findings_are_counted_by_kind_and_severity_and_not_by_secret(
    alerts: Alerts, capsys: pytest.CaptureFixture[str]
) -> None:
    alerts.publish(message(FINDING))
    metrics: dict[str, Any] = json.loads(capsys.readouterr().out)
    (directive,) = metrics["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Rekey"
    assert set(directive["Dimensions"][0]) == {"kind", "severity"}
    assert metrics["Findings"] == [1.0]
    assert ARN not in json.dumps(metrics)


def test_a_topic_that_is_not_there_is_an_error_of_ours(account: RunningAccount) -> None:
    missing = "arn:aws:sns:us-east-1:000000000000:missing"
    channel = Alerts(account.client("sns"), account.client("events"), missing)
    with pytest.raises(AlertNotDelivered, match="NotFound"):
        channel.publish(message(FINDING))
