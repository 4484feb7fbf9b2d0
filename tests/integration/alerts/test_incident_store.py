"""The table of incidents, in memory and in DynamoDB: the same tests."""

import dataclasses
import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.running_account import RunningAccount
from rekey.alerts.incidents import Action
from rekey.alerts.report import Reporter
from rekey.aws.incidents import Incidents
from rekey.errors import StateTableFailure
from rekey.incident import Incident, IncidentStore, Message, Severity, Status, Untold
from tests.incident_store import MemoryIncidents
from tests.unit.alerts.findings import NOW, finding

INCIDENT = Incident(
    topic="rotation/x",
    id="i-1",
    kinds=frozenset({"overdue", "halted"}),
    severity=Severity.HIGH,
    opened=NOW,
    seen=NOW + dt.timedelta(minutes=1),
    expires=NOW + dt.timedelta(days=1),
    solved=None,
    occurrences=frozenset({"a", "b"}),
    untold=Untold(Status.OPEN, "a", NOW),
)


class Mute:
    """A channel that only counts."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def publish(self, message: Message) -> None:
        self.messages.append(message)


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> IncidentStore:
    if request.param == "memory":
        return MemoryIncidents()
    account: RunningAccount = request.getfixturevalue("account")
    return Incidents(account.client("dynamodb"), request.getfixturevalue("state_table"))


@pytest.fixture
def topic() -> str:
    return f"rotation/{uuid.uuid4()}"


def test_what_was_put_is_what_is_got(store: IncidentStore, topic: str) -> None:
    bare = dataclasses.replace(INCIDENT, solved=NOW, untold=None, occurrences=frozenset())
    for number, kept in enumerate((INCIDENT, bare)):
        incident = dataclasses.replace(kept, topic=f"{topic}{number}")
        assert store.put(incident, replaces=None)
        assert store.get(incident.topic) == incident


def test_nothing_is_got_where_nothing_was_put(store: IncidentStore, topic: str) -> None:
    assert store.get(topic) is None


def test_only_who_has_read_the_latest_replaces_it(store: IncidentStore, topic: str) -> None:
    first = dataclasses.replace(INCIDENT, topic=topic)
    second = dataclasses.replace(first, revision=2, severity=Severity.LOW)
    assert store.put(first, replaces=None)
    assert not store.put(first, replaces=None)
    assert store.put(second, replaces=first)
    assert not store.put(second, replaces=first)
    assert store.get(topic) == second


def test_what_has_expired_and_is_gone_is_not_replaced_but_begun(
    store: IncidentStore, topic: str
) -> None:
    gone = dataclasses.replace(INCIDENT, topic=topic)
    assert not store.put(dataclasses.replace(gone, revision=2), replaces=gone)
    assert store.put(gone, replaces=None)


def test_many_are_got_at_once_and_those_that_exist(store: IncidentStore, topic: str) -> None:
    topics = [f"{topic}/{number}" for number in range(230)]
    for each in topics[::10]:
        store.put(dataclasses.replace(INCIDENT, topic=each), replaces=None)
    found = store.get_many(topics)
    assert sorted(found) == sorted(topics[::10])
    assert found[topics[0]].id == INCIDENT.id


def test_eight_at_once_are_told_once_and_all_counted(store: IncidentStore, topic: str) -> None:
    channel = Mute()
    reporter = Reporter(store, channel, now=lambda: NOW)
    findings = [finding(topic=topic, occurrence=str(number), incident="") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        decisions = list(pool.map(reporter.report, findings))
    assert [decision.action for decision in decisions].count(Action.PUBLISH_NEW) == 1
    assert len(channel.messages) == 1
    incident = store.get(topic)
    assert incident is not None
    assert len(incident.occurrences) == 8
    assert incident.untold is None


def test_a_table_that_is_not_there_is_an_error_of_ours(account: RunningAccount) -> None:
    missing = Incidents(account.client("dynamodb"), "no-such-table")
    with pytest.raises(StateTableFailure, match="ResourceNotFoundException"):
        missing.get("x")


def test_the_table_deletes_an_incident_by_its_expiry(
    account: RunningAccount, state_table: str, topic: str
) -> None:
    """In whole seconds, as DynamoDB's time to live wants it."""
    client = account.client("dynamodb")
    Incidents(client, state_table).put(dataclasses.replace(INCIDENT, topic=topic), replaces=None)
    key = {"pk": {"S": f"incident#{topic}"}, "sk": {"S": "incident"}}
    item = client.get_item(TableName=state_table, Key=key)["Item"]
    assert int(item["expires"]["N"]) == INCIDENT.expires.timestamp()
