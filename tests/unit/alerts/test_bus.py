"""What the event bus gets of a finding, in which formats."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rekey.alerts.finding import Finding, Reason
from rekey.alerts.message import message
from rekey.alerts.report import Reporter
from rekey.aws.alerts import Alerts
from rekey.errors import AlertNotDelivered
from rekey.incident import Place
from tests.incident_store import MemoryIncidents
from tests.unit.alerts.findings import FINDING, finding

PLACE = Place("aws", "eu-west-1", "111122223333")
MOST = 256 * 1024
"""Octets of one request with events (EventBridge API reference, PutEvents)."""
LONG = "\U0001f511" * 1000
LARGEST = finding(
    what=LONG, reasons=(Reason(LONG, LONG, LONG),) * 10, next_steps=(LONG,) * 10, done=(LONG,) * 10
)


class Clients:
    """The topic and the bus at once."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.refused: list[dict[str, Any]] = []

    def publish(self, **_: Any) -> None:
        """People are told in tests of their own."""

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - as AWS has it
        self.entries += Entries
        return {"Entries": self.refused or [{} for _ in Entries]}


def reported(of: Finding, place: Place | None) -> list[dict[str, Any]]:
    clients: Any = Clients()
    Reporter(MemoryIncidents(), Alerts(clients, clients, "topic"), ocsf=place).report(of)
    return list(clients.entries)


def test_the_bus_gets_a_finding_once_unless_it_is_asked_for_in_ocsf() -> None:
    (entry,) = reported(FINDING, None)
    assert entry["DetailType"] == FINDING.wording.title


def test_a_finding_is_an_event_in_ocsf_too_where_that_is_wanted() -> None:
    plain, framed = reported(FINDING, PLACE)
    detail = json.loads(framed["Detail"])
    assert (plain["Source"], framed["Source"]) == ("rekey", "rekey")
    assert framed["DetailType"] == "OCSF Finding"
    assert detail["cloud"]["account"]["uid"] == PLACE.account
    assert detail["finding_info"]["uid"] == json.loads(plain["Detail"])["incident"]
    assert detail["type_uid"] == detail["class_uid"] * 100 + 1


def test_an_event_that_the_bus_refuses_is_tried_again() -> None:
    clients: Any = Clients()
    clients.refused = [{}, {"ErrorCode": "InternalFailure"}]
    with pytest.raises(AlertNotDelivered):
        Alerts(clients, clients, "topic").publish(message(FINDING, PLACE))


def test_the_largest_finding_fits_into_one_request_in_both_formats() -> None:
    assert sum(len(entry["Detail"].encode()) for entry in reported(LARGEST, PLACE)) < MOST
