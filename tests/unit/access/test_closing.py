"""One message per incident, its updates, and one that it is over."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from rekey.access.closing import Closing
from rekey.access.judge import Incident
from rekey.access.telling import People
from rekey.alerts.report import Reporter
from rekey.known import DAY, HOUR
from tests.access.records import MORNING, Record, arn, denied, record, role, stamp
from tests.access.world import LONG_AGO, Notes, World
from tests.incident_store import MemoryIncidents
from tests.unit.alerts.test_incidents import Listener

STRANGER = role("stranger")
CLI = "aws-cli/2.15 md/command#secretsmanager.get-secret-value"
ELSEWHERE: dict[str, Any] = {"sourceIPAddress": "203.0.113.9", "userAgent": CLI}


def read(name: str = "prod/db", at: int = MORNING, **members: Any) -> Record:
    asked = {"secretId": arn(name)}
    made = record(requestParameters=asked, eventTime=stamp(at), userIdentity=STRANGER)
    return {**made, **members}


class Watched(World):
    """A world whose people are told by the real reporter, at a time that the test sets."""

    def __init__(self) -> None:
        super().__init__()
        self.listener, self.store, self.agenda = Listener(), MemoryIncidents(), Notes()
        self.time = MORNING
        for name in ("prod/db", *(f"s{n}" for n in range(40))):
            self.learn(read(name, LONG_AGO, userIdentity=role("app")))

    @property
    def reporter(self) -> Reporter:
        return Reporter(self.store, self.listener, now=self.moment)

    def moment(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.time, dt.UTC)

    def tell(self, incident: Incident) -> None:
        People(self.reporter, self.agenda).tell(incident)

    def look(self, at: int) -> int:
        self.time = at
        report = self.reporter.report
        return Closing(
            self.agenda, self.table, lambda: self.suppressed, report, now=self.moment
        ).run()

    def statuses(self) -> list[str]:
        return [told["status"] for told in self.listener.heard]


@pytest.fixture
def world() -> Watched:
    return Watched()


def test_an_incident_is_closed_once_two_days_after_its_last_signal(world: Watched) -> None:
    world.see(read(**ELSEWHERE))
    world.see(read("s1", MORNING + 5 * HOUR))
    assert world.look(MORNING + 2 * DAY) == 0
    assert world.look(MORNING + 2 * DAY + 5 * HOUR) == 1
    assert world.look(MORNING + 3 * DAY) == 0
    first, more, last = world.listener.heard
    assert (first["status"], more["status"], last["status"]) == ("open", "updated", "solved")
    assert first["incident"] == last["incident"]
    assert last["severity"] == first["severity"] == "high"
    assert last["done"] == ["Closed: nothing unusual for 48 hours."]
    assert {reason["what"] for reason in last["reasons"]} >= {
        "A principal reads this secret for the first time"
    }
    assert "Quiet is no proof" in " ".join(last["nextSteps"])


def test_an_update_is_told_between_the_beginning_and_the_end(world: Watched) -> None:
    world.see(read())
    world.see(*(read(f"s{n}", MORNING + 60) for n in range(25)))
    world.look(MORNING + 3 * DAY)
    assert world.statuses() == ["open", "updated", "solved"]
    assert len({told["incident"] for told in world.listener.heard}) == 1


def test_another_reason_at_the_same_level_is_told_once(world: Watched) -> None:
    """Whoever knows of the decoy alone does not know that all the rest is gone."""
    world.decoy_secrets = frozenset({arn("prod/db")})
    harvest = [read(f"s{n}", MORNING + 60) for n in range(25)]
    world.see(read())
    world.see(*harvest)
    world.see(*harvest)
    first, more = world.listener.heard
    assert (first["status"], more["status"]) == ("open", "updated")
    assert first["severity"] == more["severity"] == "critical"
    assert len(more["reasons"]) > len(first["reasons"])
    assert world.listener.for_people == [True, True]


def test_of_a_low_incident_people_hear_when_its_secrets_are_twice_as_many(world: Watched) -> None:
    for number in (0, 1, 1, 2, 3):
        at = stamp(MORNING + number)
        world.see(denied(f"s{number}", userIdentity=role("app"), eventTime=at))
    assert {told["severity"] for told in world.listener.heard} == {"low"}
    assert world.statuses() == ["open", "updated", "updated"]
    assert [len(told["secrets"]) for told in world.listener.heard] == [1, 2, 4]


def test_what_is_low_ends_without_a_word_to_people_and_with_one_to_programs(
    world: Watched,
) -> None:
    world.see(read())
    assert world.look(MORNING + 2 * DAY) == 1
    assert world.listener.for_people == [True, False]


def test_a_late_record_that_makes_it_worse_is_told_although_the_incident_was_closed(
    world: Watched,
) -> None:
    world.see(read())
    world.look(MORNING + 2 * DAY)
    world.see(*(read(f"s{n}", MORNING + 60) for n in range(25)))
    assert world.statuses() == ["open", "solved", "updated"]
    world.look(MORNING + 2 * DAY + HOUR)
    assert world.statuses() == ["open", "solved", "updated", "solved"]
    assert len({told["incident"] for told in world.listener.heard}) == 1


def test_a_crash_before_the_note_is_dropped_says_it_once(world: Watched) -> None:
    world.see(read(**ELSEWHERE))
    kept = dict(world.agenda.entries)
    world.look(MORNING + 2 * DAY)
    world.agenda.entries.update(kept)
    assert world.look(MORNING + 2 * DAY + HOUR) == 1
    assert world.statuses() == ["open", "solved"]


MEANT = {"owner": "ann", "reason": "migration", "principal": "*role/stranger"}


@pytest.mark.parametrize(
    ("number", "pattern", "closed"),
    [
        (1, "*:s0-*", 1),
        (2, "*:s0-*", 0),
        (2, "*:s1-*", 0),
        (2, "*:s?-*", 1),
        # Of so many, not all are named.
        (20, "*:s*", 0),
        (20, "*", 1),
    ],
)
def test_who_means_one_secret_does_not_mean_the_others_of_the_incident(
    world: Watched, number: int, pattern: str, closed: int
) -> None:
    world.see(*(read(f"s{n}", MORNING + n) for n in range(number)))
    world.suppressed.append({**MEANT, "expires": MORNING + DAY, "secret": pattern})
    assert world.look(MORNING + 2 * HOUR) == closed


@pytest.mark.parametrize(
    ("more", "closed"),
    [
        ({"expires": MORNING + DAY}, 1),
        ({"expires": MORNING + HOUR}, 0),
        ({"expires": MORNING + DAY, "kinds": ["new-reader"]}, 0),
        ({"expires": MORNING + DAY, "secret": "*other*"}, 0),
    ],
    ids=["all of it", "no longer", "not every reason", "another secret"],
)
def test_what_somebody_says_is_meant_is_closed_if_that_is_all_of_it(
    world: Watched, more: dict[str, Any], closed: int
) -> None:
    world.see(read(**ELSEWHERE))
    world.suppressed.append({**MEANT, **more})
    assert world.look(MORNING + 2 * HOUR) == closed
    assert world.statuses() == ["open", *["solved"] * closed]
    if closed:
        (line,) = world.listener.heard[-1]["done"]
        assert "ann" in line
        assert "migration" in line
