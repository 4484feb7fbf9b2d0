"""The counts of findings that are alike, in memory and in DynamoDB: the same tests."""

import datetime as dt
import uuid

import pytest

from local.running_account import RunningAccount
from rekey.aws.crowds import CrowdItems
from rekey.crowd import NAMED, ONE_BY_ONE, Alike, Crowds
from rekey.errors import StateTableFailure
from rekey.incident import Severity
from tests.crowd_store import MemoryCrowds
from tests.unit.alerts.findings import NOW

MINUTE = dt.timedelta(minutes=1)
TODAY = NOW.date()


@pytest.fixture(params=["memory", "dynamodb"])
def crowds(request: pytest.FixtureRequest) -> Crowds:
    if request.param == "memory":
        return MemoryCrowds()
    account: RunningAccount = request.getfixturevalue("account")
    return CrowdItems(account.client("dynamodb"), request.getfixturevalue("state_table"))


def alike(owner: str, *, solved: bool = False, day: dt.date = TODAY) -> Alike:
    return Alike(day, "overdue", Severity.MEDIUM, solved, owner)


@pytest.fixture
def owner() -> str:
    """A name with what separates parts of a key."""
    return f"team#{uuid.uuid4()}"


def test_each_gets_its_place_and_some_names_are_kept(crowds: Crowds, owner: str) -> None:
    more = ONE_BY_ONE + NAMED + 2
    places = [crowds.join(alike(owner), f"s-{n:02}", NOW + n * MINUTE) for n in range(more)]
    assert places == list(range(1, more + 1))
    (found,) = [crowd for crowd in crowds.on(TODAY) if crowd.of == alike(owner)]
    assert (found.count, found.told) == (more, 0)
    assert found.names == {f"s-{n:02}" for n in range(ONE_BY_ONE, ONE_BY_ONE + NAMED)}
    assert (found.begun, found.last) == (NOW + ONE_BY_ONE * MINUTE, NOW + (more - 1) * MINUTE)
    crowds.note_told(found)
    (again,) = [crowd for crowd in crowds.on(TODAY) if crowd.of == alike(owner)]
    assert again.told == more


def test_what_is_not_alike_is_counted_apart(crowds: Crowds, owner: str) -> None:
    yesterday = TODAY - dt.timedelta(days=1)
    others = (alike(owner), alike(owner, solved=True), alike("", day=yesterday), alike(owner * 2))
    for of in others:
        crowds.join(of, "s", NOW)
    assert {crowd.of for crowd in crowds.on(TODAY)} >= {o for o in others if o.day != yesterday}
    assert {crowd.of.owner for crowd in crowds.on(yesterday)} == {""}


def test_a_table_that_is_not_there_is_an_error_of_ours(account: RunningAccount) -> None:
    missing = CrowdItems(account.client("dynamodb"), "no-such-table")
    with pytest.raises(StateTableFailure, match="ResourceNotFoundException"):
        missing.join(alike("x"), "s", NOW)
    with pytest.raises(StateTableFailure, match="ResourceNotFoundException"):
        missing.on(TODAY)
