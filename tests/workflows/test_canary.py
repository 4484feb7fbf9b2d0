"""What the workflows leave behind: nothing of a secret but names and ids."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from local.postgres import Postgres
from rekey.model import Happened, Outcome, Strategy, Workflow
from tests.bus import everything_on_the_bus
from tests.canary import check_nowhere, logs
from tests.conftest import Deployed
from tests.end_to_end.application import Application, retries
from tests.end_to_end.mysql_application import MysqlApplication
from tests.inbox import Inbox
from tests.workflows.campaigns import attached, campaign, histories, ring
from tests.workflows.recoveries import (
    cut_off,
    end,
    said,
    send_failure,
    start,
    told_in_histories,
)
from tests.workflows.runs import ended, history, runs, shortened

RECOVERED = ("SUCCEEDED", "Recovered")


@pytest.fixture
def _recovers(deployed: Deployed) -> Iterator[None]:
    """At once, and with no other attempt of the service."""
    with shortened(deployed, 1 / 100), retries(deployed, 1):
        yield


@pytest.mark.usefixtures("_recovers")
def test_nothing_of_a_secret_but_names_and_ids_shows_in_a_recovery(
    alternating: Application, told: Inbox
) -> None:
    """Rolled forward, rolled back and restored: no password, no description, no tag of others."""
    app, kept = alternating, [secrets.token_hex(8) for _ in range(3)]
    app.client.update_secret(SecretId=app.arn, Description=kept[0])
    app.client.tag_resource(SecretId=app.arn, Tags=[{"Key": kept[1], "Value": kept[2]}])
    token = cut_off(app)
    with everything_on_the_bus(app.deployed) as bus:
        send_failure(app, token, Happened.TEST_FAILED)
        assert end(app) == RECOVERED
        start(app, action="rollBack")
        start(app, action="restore")
        assert end(app, 2) == end(app, 3) == RECOVERED
        said(app, told, 1)
        events = bus.events()
    assert any('"source": "rekey"' in event and app.arn in event for event in events)
    places = {
        "bus": "\n".join(events),
        "history": told_in_histories(app),
        "messages": json.dumps(told.messages),
        **logs(app.deployed, "rotate-postgresql", "look-up-secret", "dispatch"),
        "records": json.dumps(app.records()),
    }
    assert token in places["history"]
    app.passwords += [app.value("AWSCURRENT")["password"], app.postgres.password]
    check_nowhere(app.passwords, places)
    for place, text in places.items():
        if place != "records":  # CloudTrail itself tells what a tag is called.
            assert [each for each in kept if each in text] == [], place


def test_nothing_of_a_secret_but_names_and_ids_shows_in_a_campaign(
    deployed: Deployed, postgres: Postgres, mariadb: Any
) -> None:
    """Rotated, rolled back and, being compromised, retired: no password, no tag of others."""
    alternating = (False, True, False)
    apps = [attached(Application(deployed, postgres, alternating=a)) for a in alternating]
    dual = attached(MysqlApplication(deployed, mariadb, "mariadb", Strategy.DUAL_PASSWORD))
    everyone, kept = [*apps, dual], [secrets.token_hex(8) for _ in range(2)]
    for app in everyone:
        app.client.tag_resource(SecretId=app.arn, Tags=[{"Key": kept[0], "Value": kept[1]}])
    inbox = Inbox.make(deployed.account).subscribe(deployed.alerts_topic_arn)
    ring(deployed, "canary-errors", "ALARM")
    which = {"secretIds": [app.arn for app in everyone]}
    with everything_on_the_bus(deployed) as bus, shortened(deployed, 1 / 200):
        back = campaign(deployed, **which, healthAlarms=["canary-errors"], soakSeconds=60)
        gone = campaign(deployed, **which, compromised=True)
        retired = ended(dual, Workflow.RETIRE)
        names = {back.run["name"], gone.run["name"]}
        inbox.until(lambda told: all(name in json.dumps(told) for name in names))
        events = bus.events()
    for app in everyone:
        app.value("AWSCURRENT")
    found = [histories(deployed, each.run["executionArn"]) for each in (back, gone)]
    undone = [history(app, run) for app in everyone for run in runs(app, Workflow.RECOVER)]
    places = {
        "histories": "\n".join([*found, *undone, history(dual, retired)]),
        "summaries": json.dumps([back.summary, gone.summary]),
        "messages": json.dumps(inbox.messages),
        "bus": "\n".join(events),
        **logs(deployed, "rotate-postgresql", "rotate-mysql", "plan-campaign", "look-up-secret"),
        **logs(deployed, "dispatch"),
    }
    assert back.summary["counts"] == {"rolledBack": 4}
    assert gone.stands, gone.summary
    for answer in (Outcome.RETIRED, "works", "is AWSCURRENT again"):
        assert answer in places["histories"]
    assert any('"source": "rekey"' in event for event in events)
    servers = {postgres.password, mariadb.password}
    check_nowhere({word for app in everyone for word in app.passwords} | servers, places)
    for place, text in places.items():
        assert [each for each in kept if each in text] == [], place
