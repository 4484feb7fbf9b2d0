"""The agenda of open incidents, in memory and in DynamoDB: the same tests."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace

import pytest

from local.running_account import RunningAccount
from rekey.access.ports import Agenda
from rekey.aws.open_incidents import OpenIncidents
from rekey.errors import StateTableFailure
from rekey.known import Key, Open, incident_key
from tests.access.world import Notes

NOW = int(time.time())


@pytest.fixture(params=["memory", "dynamodb"])
def agenda(request: pytest.FixtureRequest, account: RunningAccount, state_table: str) -> Agenda:
    if request.param == "memory":
        return Notes(now=NOW)
    return OpenIncidents(account.client("dynamodb"), state_table)


def entry(**changes: object) -> Open:
    made = Open(incident_key(f"arn:{uuid.uuid4()}", 20_000), "first", NOW + 3600)
    return replace(made, **changes)  # type: ignore[arg-type]  # by name


def on(agenda: Agenda, *keys: Key) -> list[Open]:
    return [found for found in agenda.all() if found.key in keys]


def test_what_was_noted_is_on_the_agenda_once_until_it_is_dropped(agenda: Agenda) -> None:
    made, other = entry(), entry()
    for one in (made, other, made):
        agenda.note(one)
    assert on(agenda, made.key) == [made]
    agenda.drop(made)
    agenda.drop(made)
    assert on(agenda, made.key, other.key) == [other]


def test_what_was_noted_anew_meanwhile_stays(agenda: Agenda) -> None:
    made = entry()
    agenda.note(made)
    newer = replace(made, occurrence="second")
    agenda.note(newer)
    agenda.drop(made)
    assert on(agenda, made.key) == [newer]


def test_what_has_expired_is_off_the_agenda(agenda: Agenda) -> None:
    made = entry(expires=NOW - 10)
    agenda.note(made)
    assert on(agenda, made.key) == []


def test_an_agenda_of_many_pages_is_read_to_its_end(
    account: RunningAccount, state_table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = account.client("dynamodb")
    whole, agenda = client.query, OpenIncidents(client, state_table)
    monkeypatch.setattr(client, "query", lambda **asked: whole(**asked, Limit=2))
    made = [entry() for _ in range(5)]
    for one in made:
        agenda.note(one)
    assert len(on(agenda, *(one.key for one in made))) == 5


def test_a_table_that_does_not_answer_is_a_failure_of_its_own(account: RunningAccount) -> None:
    agenda = OpenIncidents(account.client("dynamodb"), "no-such-table")
    for call in (
        lambda: agenda.note(entry()),
        lambda: list(agenda.all()),
        lambda: agenda.drop(entry()),
    ):
        with pytest.raises(StateTableFailure, match="ResourceNotFound"):
            call()
