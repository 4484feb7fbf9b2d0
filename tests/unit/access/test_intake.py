"""Messages of a queue: each is watched, or fails for itself and comes again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rekey.access.intake import Intake
from rekey.access.judge import Incident
from rekey.access.telling import finding
from rekey.access.watch import Watch
from rekey.alerts.finding import Severity
from rekey.errors import AlertNotDelivered, InvalidEvent, OutOfTime, StateTableFailure
from rekey.known import DAY, Item, Key
from rekey.model import Deadline
from tests.access.records import MORNING, arn, denied, record, role, stamp
from tests.access.world import LONG_AGO, Table, World
from tests.structure.imports import CHECKOUT

DB = arn("prod/db")


def enough() -> Deadline:
    """Later than any test here ends, and counted from now: files are read long before they run."""
    return Deadline.after(600)


@dataclass
class Throttled(Table):
    """A table that refuses what is about one principal."""

    refused: set[str] = field(default_factory=set)

    def save(self, item: Item) -> bool:
        if any(name in item.key.pk + item.key.sk for name in self.refused):
            raise StateTableFailure("throttled")
        return super().save(item)


@dataclass
class Dead(Table):
    def load(self, keys: Iterable[Key], *, latest: bool = False) -> Mapping[Key, Item]:  # noqa: ARG002 - a port
        raise StateTableFailure("no answer")


def intake(world: World) -> Intake:
    return Intake(Watch(world.table, world, world, world.thresholds), world.names)


def message(name: str, **members: Any) -> dict[str, Any]:
    """As EventBridge wraps a record."""
    return {"detail": record(userIdentity=role(name), **members)}


def learned(table: Table) -> World:
    world = World(table=table)
    world.learn(record(eventTime=stamp(LONG_AGO)))
    return world


def test_poison_fails_for_itself_and_the_rest_of_the_batch_is_done_with() -> None:
    world = learned(Table())
    bodies = {
        "good": message("stranger"),
        "empty": {},
        "text": "text",
        "unknown": message("a", eventName="Unheard"),
    }
    failed = intake(world).take(bodies, enough())
    assert set(failed) == {"empty", "text", "unknown"}
    assert {type(error) for error in failed.values()} == {InvalidEvent}
    assert [incident.principal.rpartition("/")[2] for incident in world.told] == ["stranger"]


def test_one_principals_trouble_is_not_anothers_and_nothing_is_lost() -> None:
    table = Throttled(refused={"role/unlucky"})
    world = learned(table)
    bodies = {
        "1": message("unlucky"),
        "2": message("lucky"),
        "3": message("unlucky", eventTime=stamp(MORNING + 1)),
    }
    assert set(intake(world).take(bodies, enough())) == {"1", "3"}
    table.refused.clear()
    assert intake(world).take({name: bodies[name] for name in ("1", "3")}, enough()) == {}
    assert {one.principal.rpartition("/")[2] for one in world.told} == {"unlucky", "lucky"}
    # Told before it was remembered, so perhaps twice: then with the same occurrence.
    assert len({(one.id, one.occurrence) for one in world.told}) == 2


def test_what_the_time_is_not_enough_for_comes_again_and_the_rest_is_done_with() -> None:
    class Slow(World):
        """Nothing is left of the time once somebody was told."""

        def tell(self, incident: Incident) -> None:
            super().tell(incident)
            object.__setattr__(soon, "at", 0.0)

    soon, world = Deadline.after(600), Slow(table=learned(Table()).table)
    failed = intake(world).take({"1": message("one"), "2": message("two")}, soon)
    assert [type(error) for error in failed.values()] == [OutOfTime]
    assert intake(world).take({"1": message("one"), "2": message("two")}, enough()) == {}
    assert {one.principal.rpartition("/")[2] for one in world.told} == {"one", "two"}


def test_a_name_that_is_none_is_told_all_the_same() -> None:
    """Who is denied may have asked for anything."""
    world = World()
    for name in ("x" * 2048, "é" * 600, "?&"):
        world.see(denied(name, userIdentity=role("stranger")))
    assert [finding(one).secret for one in world.told] == [None] * len(world.told)
    assert world.told


def test_a_table_that_does_not_answer_fails_the_whole_batch() -> None:
    failed = intake(World(table=Dead())).take({"1": message("a"), "2": message("b")}, enough())
    assert {type(error) for error in failed.values()} == {StateTableFailure}
    assert set(failed) == {"1", "2"}


def test_what_could_not_be_told_is_not_remembered() -> None:
    class Deaf(World):
        def tell(self, incident: Incident) -> None:
            raise AlertNotDelivered(incident.id)

    table = Table()
    learned(table)
    before = dict(table.items)
    assert set(intake(Deaf(table=table)).take({"1": message("stranger")}, enough())) == {"1"}
    assert table.items == before
    again = World(table=table)
    assert intake(again).take({"1": message("stranger")}, enough()) == {}
    assert len(again.told) == 1


def test_a_finding_names_secrets_reasons_and_severity_and_nothing_to_click_on() -> None:
    world = learned(Table())
    visitor = role("stranger", "https://evil.example")
    world.see(record(userIdentity=visitor))
    told = finding(world.told[-1])
    assert told.raised is Severity.LOW
    assert told.secret == DB
    assert "prod/db" in told.what
    assert {reason.what for reason in told.reasons} == {
        "A principal reads this secret for the first time"
    }
    assert "evil.example" not in repr(told)
    assert told.topic.startswith("access/")


def test_a_finding_about_many_secrets_names_some_and_counts_the_rest() -> None:
    world = learned(Table())
    made = [
        record(requestParameters={"secretId": arn(f"s{n}")}, eventTime=stamp(LONG_AGO))
        for n in range(9)
    ]
    world.learn(*made)
    later = stamp(LONG_AGO + 20 * DAY)
    world.see(*({**one, "userIdentity": role("stranger"), "eventTime": later} for one in made))
    told = finding(world.told[-1])
    assert told.secret is None
    assert "and 4 more" in told.what


@pytest.mark.parametrize("path", sorted((CHECKOUT / "events" / "watch_access").glob("*.json")))
def test_a_sample_event_is_understood(path: Path) -> None:
    (sent,) = json.loads(path.read_text())["Records"]
    world = World()
    assert intake(world).take({sent["messageId"]: json.loads(sent["body"])}, enough()) == {}
    assert any("prod/db" in key.pk or "app" in key.pk for key in world.table.items)
