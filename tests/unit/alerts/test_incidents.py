"""One message per incident, whatever comes late, twice, out of order or after a crash."""

import dataclasses
import datetime as dt
import itertools
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekey.alerts.finding import MOST_COUNTED, Kind, Severity, Status
from rekey.alerts.incidents import LEASE, OVER, REFRESH, Action, decide
from rekey.alerts.kinds import KINDS
from rekey.alerts.report import Reporter
from rekey.errors import AlertNotDelivered, StateTableFailure
from rekey.incident import Incident, Message
from tests.incident_store import MemoryIncidents
from tests.unit.alerts.findings import ARN, NOW, TOPIC, finding

MINUTE = dt.timedelta(minutes=1)


class Listener:
    """A channel that keeps what it was told, and fails where a test wants it to."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.for_people: list[bool] = []
        self.of_people: list[dict[str, Any]] = []
        self.failing = 0

    def publish(self, message: Message) -> None:
        if self.failing:
            self.failing -= 1
            raise AlertNotDelivered("down")
        self.heard.append(json.loads(message.document))
        self.for_people.append(message.for_people)
        if message.for_people:
            self.of_people.append(self.heard[-1])

    def people(self, key: str) -> list[Any]:
        return [document[key] for document in self.of_people]

    def said(self, key: str) -> list[Any]:
        return [document[key] for document in self.heard]


class World:
    """A reporter on a table in memory, with a clock that tests move."""

    def __init__(self) -> None:
        self.store, self.listener = MemoryIncidents(), Listener()
        self.time = NOW
        self.reporter = Reporter(self.store, self.listener, now=lambda: self.time)

    def report(self, *, at: int = 0, **changes: Any) -> Action:
        """Report a finding of `at` minutes after NOW."""
        changes.setdefault("occurrence", f"event-{at}")
        made = finding(when=NOW + at * MINUTE, incident="", **changes)
        return self.reporter.report(made).action

    def solve(self, *, at: int, **changes: Any) -> Action:
        return self.report(at=at, status=Status.SOLVED, **changes)

    @property
    def incident(self) -> Incident:
        stored = self.store.get(TOPIC)
        assert stored is not None
        return stored


@pytest.fixture
def world() -> World:
    return World()


def test_repetitions_are_folded_in_and_the_end_is_said(world: World) -> None:
    actions = [world.report(at=minute) for minute in range(3)]
    assert actions == [Action.PUBLISH_NEW, Action.FOLD, Action.FOLD]
    assert world.solve(at=9) is Action.PUBLISH_SOLVED
    assert world.listener.said("status") == ["open", "solved"]
    assert world.listener.said("count") == [1, 4]
    assert len(set(world.listener.said("incident"))) == 1


def test_the_same_event_twice_is_counted_once(world: World) -> None:
    world.report()
    assert world.report() is Action.IGNORE
    assert len(world.incident.occurrences) == 1


def test_a_rise_in_severity_is_an_update_and_a_fall_is_none(world: World) -> None:
    world.report(raised=Severity.MEDIUM)
    assert world.report(at=1, raised=Severity.CRITICAL) is Action.PUBLISH_UPDATE
    assert world.report(at=2, raised=Severity.HIGH) is Action.FOLD
    assert world.listener.said("severity") == ["medium", "critical"]
    world.solve(at=3)
    assert world.listener.said("severity")[-1] == "critical"


def test_an_end_does_not_make_an_incident_more_severe(world: World) -> None:
    world.report(raised=Severity.MEDIUM)
    world.solve(at=1, raised=Severity.CRITICAL)
    assert world.listener.said("severity") == ["medium", "medium"]


def test_halted_is_said_even_if_people_know_that_one_is_needed(world: World) -> None:
    world.report(kind=Kind.NEEDS_PERSON)
    assert world.report(at=1, kind=Kind.HALTED) is Action.PUBLISH_UPDATE
    assert world.report(at=2, kind=Kind.HALTED) is Action.FOLD
    assert world.report(at=3, kind=Kind.OVERDUE) is Action.FOLD


def test_an_incident_after_its_end_is_a_new_one(world: World) -> None:
    world.report()
    world.solve(at=1)
    assert world.report(at=2) is Action.PUBLISH_NEW
    first, _, second = world.listener.said("incident")
    assert first != second


def test_what_comes_late_does_not_open_again_what_is_solved(world: World) -> None:
    world.report(at=1)
    world.solve(at=5)
    assert world.report(at=3) is Action.FOLD
    assert world.incident.solved == NOW + 5 * MINUTE


def test_an_end_that_comes_before_its_beginning_keeps_both_silent(world: World) -> None:
    assert world.solve(at=5) is Action.FOLD
    assert world.report(at=3) is Action.FOLD
    assert world.report(at=6) is Action.PUBLISH_NEW


@pytest.mark.parametrize(
    ("kind", "end"), [(Kind.POLICY_OPENED, Kind.POLICY_OPENED), (Kind.DELETED, Kind.RESTORED)]
)
def test_what_others_did_to_a_secret_is_told_once_even_if_its_end_comes_first(
    world: World, kind: Kind, end: Kind
) -> None:
    world.solve(at=5, kind=end)
    world.listener.heard.clear()
    assert world.report(at=3, kind=kind) is Action.PUBLISH_SOLVED
    assert world.report(at=3, kind=kind) is Action.IGNORE
    assert world.report(at=4, kind=kind) is Action.FOLD
    (told,) = world.listener.heard
    assert (told["kind"], told["status"]) == (kind, "solved")
    assert told["severity"] == KINDS[kind].severity
    assert told["what"].endswith(OVER)
    assert world.incident.solved == NOW + 5 * MINUTE


def test_what_comes_after_its_end_and_weighs_more_than_was_told_is_told(world: World) -> None:
    world.report(at=1, kind=Kind.POLICY_OPENED)
    world.solve(at=5, kind=Kind.POLICY_OPENED)
    late: dict[str, Any] = {"at": 3, "kind": Kind.POLICY_OPENED, "raised": Severity.CRITICAL}
    world.listener.failing = 1
    with pytest.raises(AlertNotDelivered):
        world.report(**late)
    assert world.report(**late) is Action.PUBLISH_SOLVED
    assert world.listener.said("severity") == ["high", "high", "critical"]


def test_an_end_that_is_older_than_what_has_happened_since_ends_nothing(world: World) -> None:
    world.report(at=1)
    world.report(at=5)
    assert world.solve(at=3) is Action.FOLD
    assert world.incident.solved is None


def test_within_one_second_nobody_claims_that_it_is_solved(world: World) -> None:
    world.report(at=1)
    assert world.solve(at=1) is Action.FOLD
    assert world.incident.solved is None
    world.solve(at=2)
    assert world.report(at=2, occurrence="other") is Action.PUBLISH_NEW


def test_a_recovery_is_news_even_if_nobody_heard_of_the_failure(world: World) -> None:
    assert world.solve(at=1, kind=Kind.RECOVERED) is Action.PUBLISH_SOLVED
    assert world.solve(at=1, kind=Kind.RECOVERED) is Action.IGNORE


def test_after_a_quiet_time_it_is_another_incident(world: World) -> None:
    quiet = KINDS[Kind.VALUE_WRITTEN].quiet
    world.report(kind=Kind.VALUE_WRITTEN)
    later = quiet // MINUTE + 1
    world.time = NOW + later * MINUTE
    assert world.report(at=later, kind=Kind.VALUE_WRITTEN) is Action.PUBLISH_NEW


def test_a_long_incident_lives_as_long_as_it_is_seen(world: World) -> None:
    for day in range(100):
        world.time = NOW + dt.timedelta(days=day)
        world.report(at=day * 1440, kind=Kind.OVERDUE)
    assert world.listener.said("status") == ["open"]


def test_a_message_that_did_not_leave_is_said_when_the_event_comes_again(world: World) -> None:
    world.listener.failing = 2
    for _ in range(2):
        with pytest.raises(AlertNotDelivered):
            world.report()
    assert world.report() is Action.PUBLISH_NEW
    assert world.report() is Action.IGNORE
    assert world.listener.said("status") == ["open"]


def test_if_the_event_never_comes_again_the_next_one_says_it(world: World) -> None:
    world.listener.failing = 1
    with pytest.raises(AlertNotDelivered):
        world.report()
    world.time = NOW + LEASE - dt.timedelta(seconds=1)
    assert world.report(at=1) is Action.FOLD
    world.time = NOW + LEASE
    assert world.report(at=2) is Action.PUBLISH_NEW
    assert world.report(at=3) is Action.FOLD


def test_an_end_that_did_not_leave_is_said_by_the_next_end(world: World) -> None:
    world.report()
    world.listener.failing = 1
    with pytest.raises(AlertNotDelivered):
        world.solve(at=1)
    world.time = NOW + LEASE
    assert world.report(at=0, occurrence="late") is Action.FOLD
    assert world.solve(at=2) is Action.PUBLISH_SOLVED
    assert world.listener.said("status") == ["open", "solved"]


def test_a_crash_after_the_message_says_it_again_under_the_same_id(world: World) -> None:
    class Crash(Exception):
        pass

    def crash(*_: object, **__: object) -> bool:
        raise Crash

    put = world.store.put
    puts = itertools.chain([put], itertools.repeat(crash, 1), itertools.repeat(put))

    def next_put(incident: Incident, *, replaces: Incident | None) -> bool:
        return next(puts)(incident, replaces=replaces)

    world.store.put = next_put  # type: ignore[method-assign]  # in between
    with pytest.raises(Crash):
        world.report()
    world.report()
    assert world.listener.said("status") == ["open", "open"]
    assert len(set(world.listener.said("incident"))) == 1
    assert world.incident.untold is None


def test_a_flood_ends_in_bounded_items_and_few_writes(world: World) -> None:
    for number in range(200):
        world.report(occurrence=f"event-{number}")
    assert len(world.incident.occurrences) == MOST_COUNTED
    writes = world.incident.revision
    assert writes <= MOST_COUNTED + 2
    minutes = int(REFRESH / MINUTE)
    assert world.report(at=minutes, occurrence="later") is Action.FOLD
    assert world.incident.seen == NOW + REFRESH


def test_who_always_finds_another_revision_gives_up_and_is_tried_again(world: World) -> None:
    world.store.put = lambda *_, **__: False  # type: ignore[method-assign]  # in between
    with pytest.raises(StateTableFailure):
        world.report()
    assert world.listener.heard == []


def test_the_owner_is_looked_up_for_what_is_published_only(world: World) -> None:
    asked: list[str] = []

    def owner(arn: str) -> str:
        asked.append(arn)
        return "team-a"

    world.reporter = dataclasses.replace(world.reporter, owner=owner)
    for minute in range(3):
        world.report(at=minute, owner=None)
    assert (asked, world.listener.said("owner")) == ([ARN], ["team-a"])


def test_every_decision_has_its_reason() -> None:
    assert decide(None, finding(), NOW).reason


HISTORY = st.dictionaries(
    st.integers(0, 20), st.sampled_from([Status.OPEN, Status.SOLVED]), min_size=1, max_size=8
)


@given(
    history=HISTORY,
    kind=st.sampled_from([Kind.ROTATION_FAILED, Kind.POLICY_OPENED]),
    data=st.data(),
)
def test_what_happened_last_decides_how_it_ends_in_whatever_order_it_is_heard(
    history: dict[int, Status], kind: Kind, data: st.DataObject
) -> None:
    """Duplicates, disorder and messages that fail to leave change neither the end nor the truth."""
    events = sorted(history.items())
    repeated = data.draw(st.lists(st.sampled_from(events), max_size=4))
    world = World()
    for minute, status in data.draw(st.permutations(events + repeated)):
        world.listener.failing = data.draw(st.integers(0, 2))
        _until_delivered(partial(world.report, at=minute, status=status, kind=kind))
    _, end = events[-1]
    said = world.listener.said("status")
    assert (world.incident.solved is not None) == (end is Status.SOLVED)
    assert said[-1:] in ([["open"]] if end is Status.OPEN else [[], ["solved"]])
    assert world.incident.untold is None
    if kind is Kind.POLICY_OPENED:
        assert bool(said) == (Status.OPEN in history.values())


def _until_delivered(report: Callable[[], Action]) -> None:
    for _ in range(4):
        try:
            report()
        except AlertNotDelivered:
            continue
        return
    raise AssertionError("never delivered")


def test_what_grows_is_told_with_every_occurrence_as_long_as_those_are_counted(
    world: World,
) -> None:
    more: list[dict[str, Any]] = [
        {"kind": Kind.UNUSUAL_ACCESS, "occurrence": f"more-{n}"} for n in range(60)
    ]
    done = [world.report(**occurrence) for occurrence in (*more, *more)]
    assert done.count(Action.PUBLISH_NEW) == 1
    assert done.count(Action.PUBLISH_UPDATE) == MOST_COUNTED - 1
    assert not any(action.speaks for action in done[MOST_COUNTED:])


def test_a_finding_of_another_topic_is_another_incident(world: World) -> None:
    world.report()
    assert world.report(topic="other") is Action.PUBLISH_NEW
    first, second = world.listener.said("incident")
    assert first != second
