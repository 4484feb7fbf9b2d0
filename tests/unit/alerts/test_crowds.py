"""Very many findings that are alike: the first one by one, the others in one message."""

import dataclasses
import datetime as dt

import pytest

from rekey.alerts.crowds import LONGEST, QUIET, tell_together, together
from rekey.alerts.finding import Finding, Kind, Severity, Status
from rekey.alerts.message import message
from rekey.alerts.report import Reporter
from rekey.crowd import NAMED, ONE_BY_ONE, Alike, Crowd
from tests.crowd_store import MemoryCrowds
from tests.incident_store import MemoryIncidents
from tests.unit.alerts.findings import ARN, NOW, finding
from tests.unit.alerts.test_incidents import Listener
from tests.unit.alerts.test_sweep import DAY, HEALTHY, Night

MANY = 200
MINUTE = dt.timedelta(minutes=1)


class World:
    """A reporter that counts, and a clock that tests move."""

    def __init__(self) -> None:
        self.listener, self.crowds, self.time = Listener(), MemoryCrowds(), NOW
        self.reporter = Reporter(
            MemoryIncidents(), self.listener, crowds=self.crowds, now=lambda: self.time
        )
        self.made = 0

    def report(self, count: int = 1, **changes: object) -> None:
        for _ in range(count):
            self.made += 1
            arn = ARN.replace("app/db", f"app/{self.made:04}")
            made = finding(secret=arn, topic=f"rotation/{arn}", when=self.time, **changes)
            self.reporter.report(made)

    def tell(self, after: dt.timedelta) -> int:
        self.time += after
        return tell_together(self.crowds, self.reporter.report, self.time)

    @property
    def people(self) -> list[str]:
        return self.listener.people("kind")


@pytest.fixture
def world() -> World:
    return World()


def test_the_first_are_told_one_by_one_and_all_others_in_one_message(world: World) -> None:
    world.report(MANY)
    assert len(world.people) == ONE_BY_ONE
    assert world.tell(QUIET) == 1
    assert world.tell(QUIET) == 0
    assert world.people[ONE_BY_ONE:] == ["many-at-once"]
    said = world.listener.heard[-1]
    assert f"Rotation failed: {MANY} secrets" in said["what"]
    assert f"the other {MANY - ONE_BY_ONE} here" in said["what"]
    assert said["what"].count('"app/') == NAMED
    assert "docs/operations.md, Many at once" in str(said["nextSteps"])


def test_programs_get_every_single_one_on_the_bus(world: World) -> None:
    world.report(MANY)
    assert len({document["secret"] for document in world.listener.heard}) == MANY


def test_few_are_never_told_together(world: World) -> None:
    world.report(ONE_BY_ONE)
    assert world.tell(DAY) == 0
    assert len(world.people) == ONE_BY_ONE


def test_people_are_told_when_it_is_quiet_or_after_an_hour_of_more_and_more(world: World) -> None:
    world.report(ONE_BY_ONE + 1)
    minutes = 0
    while world.tell(MINUTE) == 0:
        minutes += 1
        world.report()
    assert minutes + 1 == LONGEST / MINUTE


def test_they_are_told_again_only_when_it_has_doubled_and_when_the_day_is_over(
    world: World,
) -> None:
    world.report(ONE_BY_ONE + 10)
    assert world.tell(QUIET) == 1
    world.report(9)
    assert world.tell(QUIET) == 0
    world.report()
    assert world.tell(QUIET) == 1
    world.report()
    assert [world.tell(QUIET), world.tell(DAY), world.tell(QUIET)] == [0, 1, 0]


def test_each_owner_hears_of_its_own(world: World) -> None:
    world.report(MANY, owner="payments")
    world.report(owner="orders")
    assert world.listener.people("owner")[-1] == "orders"
    world.tell(QUIET)
    assert world.listener.heard[-1]["owner"] == "payments"


def test_ends_are_counted_apart_and_hurry_nobody(world: World) -> None:
    world.report(MANY, kind=Kind.RESTORED, status=Status.SOLVED)
    world.tell(QUIET)
    said = world.listener.heard[-1]
    assert (said["kind"], said["severity"]) == ("many-at-once", "informational")
    assert "Deleted secret restored (solved)" in said["what"]


def test_a_message_that_was_not_delivered_is_counted_once(world: World) -> None:
    arn = ARN.replace("app/db", "app/retried")
    again = finding(secret=arn, topic=f"rotation/{arn}")
    world.listener.failing = ONE_BY_ONE
    for _ in range(ONE_BY_ONE):
        with pytest.raises(Exception, match="down"):
            world.reporter.report(again)
    world.reporter.report(again)
    assert [crowd.count for crowd in world.crowds.on(NOW.date())] == [1]
    assert world.people == ["rotation-failed"]


def test_what_is_about_no_secret_is_always_told(world: World) -> None:
    for number in range(ONE_BY_ONE + 5):
        made = finding(kind=Kind.CAMPAIGN_RESULT, secret=None, topic=f"campaign/{number}")
        world.reporter.report(made)
    assert len(world.people) == ONE_BY_ONE + 5


def crowd(name: str) -> Finding:
    of = Alike(NOW.date(), Kind.OVERDUE, Severity.MEDIUM, solved=False, owner="payments")
    names = frozenset(f"{number}{name}" for number in range(NAMED))
    return together(Crowd(of, 500_000, names, NOW, NOW), NOW)


def test_the_longest_names_leave_room_for_what_has_to_be_said() -> None:
    said = crowd("n" * 59)
    assert len(said.what) < 1000
    assert not said.what.endswith("...")
    assert "499980" in said.what
    assert len(message(said).subject) < 100


def test_names_that_somebody_chose_hold_no_link() -> None:
    assert "evil[.]example" in crowd("evil.example").what


def test_a_function_that_is_gone_makes_two_messages_more_and_not_thousands() -> None:
    night = Night()
    night.add(MANY, due=NOW - DAY)
    night.region.size = 100
    night.sweep()
    night.time += QUIET
    night.sweep()
    assert night.told() == ["overdue"] * ONE_BY_ONE + ["many-at-once"]
    assert f"the other {MANY - ONE_BY_ONE} here" in night.listener.heard[-1]["what"]
    for arn in night.region.secrets:
        healed = dataclasses.replace(HEALTHY, arn=arn, rotated=night.time, due=NOW + 30 * DAY)
        night.region.secrets[arn] = healed
    night.time += DAY
    night.sweep()
    night.time += QUIET
    night.sweep()
    assert night.told()[ONE_BY_ONE + 1 :] == ["overdue"] * ONE_BY_ONE + ["many-at-once"]
    assert night.listener.people("status")[ONE_BY_ONE + 1 : -1] == ["solved"] * ONE_BY_ONE
