"""What the daily sweep finds, and how it goes on where it stopped."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekey.alerts import topics
from rekey.alerts.digest import Digest
from rekey.alerts.finding import Finding, Kind, Severity, Status
from rekey.alerts.report import Reporter
from rekey.alerts.sweep import Sweep
from rekey.alerts.troubles import LATE, LINGERING, NEW, relief, trouble
from rekey.errors import SecretAccessDenied
from rekey.incident import Incident
from rekey.model import Deadline, Execution, Workflow
from rekey.watched import Canary, Page, Progress, Trail, Watched
from tests.crowd_store import MemoryCrowds
from tests.incident_store import MemoryIncidents
from tests.unit.alerts.findings import ARN, NOW
from tests.unit.alerts.test_incidents import Listener

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
CURRENT, PREVIOUS, PENDING = (
    frozenset({f"AWS{name}"}) for name in ("CURRENT", "PREVIOUS", "PENDING")
)
HEALTHY = Watched(
    arn=ARN,
    rotation_enabled=True,
    labels={"v2": CURRENT, "v1": PREVIOUS},
    tags={"rekey:owner": "payments"},
    changed=NOW - 10 * DAY,
    rotated=NOW - 10 * DAY,
    due=NOW + 20 * DAY,
    function="arn:aws:lambda:eu-west-1:111122223333:function:rekey-rotate-postgresql",
)  # fmt: skip


def secret(**changes: Any) -> Watched:
    return dataclasses.replace(HEALTHY, **changes)


def kind_of(watched: Watched) -> Kind | None:
    found = trouble(watched, NOW)
    return found.kind if found else None


STUCK = {"v2": CURRENT, "v3": PENDING}
NEVER = {"rotated": None, "due": None}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, None),
        ({"due": NOW - LATE}, Kind.OVERDUE),
        ({"due": NOW - LATE + HOUR}, None),
        ({"due": NOW - DAY, "rotation_enabled": False}, None),
        ({"due": None}, None),
        ({"labels": STUCK}, Kind.STUCK_PENDING),
        ({"labels": STUCK, "changed": NOW - LINGERING + HOUR}, None),
        ({"labels": STUCK, "rotation_enabled": False}, Kind.STUCK_PENDING),
        ({"labels": {"v2": CURRENT | PENDING}}, None),
        ({"labels": {"v2": CURRENT, "v3": frozenset({"MINE"})}}, None),
        (NEVER, Kind.NEVER_ROTATED),
        ({**NEVER, "due": NOW + DAY}, None),
        ({**NEVER, "due": NOW - DAY}, Kind.NEVER_ROTATED),
        ({**NEVER, "changed": NOW - NEW + HOUR}, None),
        ({**NEVER, "rotation_enabled": False}, None),
        ({"tags": {"rekey:halted": "true"}}, Kind.HALTED),
        ({"tags": {"rekey:halted": "2026-11-01"}}, Kind.HALTED),
        ({"tags": {"rekey:halted": "false"}}, None),
        ({"tags": {"rekey:halted": "true"}, "labels": STUCK, "due": NOW - DAY}, Kind.HALTED),
        ({"due": NOW - DAY, "replica": True}, None),
    ],
)
def test_a_secret_in_trouble_is_known_by_its_dates_labels_and_tags(
    changes: dict[str, Any], kind: Kind | None
) -> None:
    assert kind_of(secret(**changes)) is kind


def test_one_finding_has_all_reasons_and_the_owner() -> None:
    found = trouble(secret(tags={**HEALTHY.tags, "rekey:halted": "x"}, labels=STUCK), NOW)
    assert found is not None
    assert [reason.what for reason in found.reasons] == [
        "Tag rekey:halted", "AWSPENDING", "Rotation function",
    ]  # fmt: skip
    assert (found.owner, found.severity) == ("payments", Severity.HIGH)


def incident(*kinds: Kind, **changes: Any) -> Incident:
    return Incident(
        **{
            "topic": topics.rotation(ARN), "id": "i", "severity": Severity.HIGH,
            "kinds": frozenset(kind.value for kind in kinds),
            "opened": NOW - 5 * DAY, "seen": NOW - 4 * DAY, "expires": NOW + DAY, **changes,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kinds", "rotated", "solved"),
    [
        ([Kind.OVERDUE], NOW - 10 * DAY, True),
        ([Kind.OVERDUE, Kind.STUCK_PENDING], None, True),
        ([Kind.HALTED], NOW - 10 * DAY, False),
        ([Kind.HALTED], NOW - DAY, True),
        ([Kind.NEEDS_PERSON], NOW - 10 * DAY, False),
        ([Kind.NEEDS_PERSON], NOW - DAY, True),
        ([Kind.OVERDUE, Kind.ROTATION_FAILED], NOW - 10 * DAY, False),
    ],
)
def test_an_incident_is_over_if_the_sweep_can_see_that(
    kinds: list[Kind], rotated: dt.datetime | None, solved: bool
) -> None:
    found = relief(secret(rotated=rotated), incident(*kinds), NOW)
    assert (found is not None and found.status is Status.SOLVED) is solved


def test_nothing_is_said_to_be_in_order_where_rotation_was_switched_off() -> None:
    late = incident(Kind.OVERDUE)
    assert relief(secret(rotation_enabled=False), late, NOW) is None
    assert relief(secret(rotation_enabled=False, rotated=NOW - DAY), late, NOW) is not None


def test_what_is_solved_is_not_solved_again() -> None:
    assert relief(HEALTHY, incident(Kind.OVERDUE, solved=NOW - DAY), NOW) is None


class Region:
    """Secrets, trails and the sweep's memory as a test sets them up."""

    def __init__(self) -> None:
        self.secrets: dict[str, Watched] = {}
        self.newer: dict[str, Watched | None] = {}
        self.denied: set[str] = set()
        self.trails: tuple[Trail, ...] = (
            Trail("all", logging=True, selectors=({"ReadWriteType": "All"},)),
        )
        self.size = 2
        self.pages = self.described = self.reads = 0
        self.fail_at_page: int | None = None
        self.noted: Progress | None = None
        self.canaries: dict[str, Canary] = {}

    def page(self, token: str | None) -> Page | None:
        self.pages += 1
        if self.pages == self.fail_at_page:
            raise ConnectionError
        if token == "expired":
            return None
        start = int(token or 0)
        arns = sorted(self.secrets)[start : start + self.size]
        last = start + self.size >= len(self.secrets)
        return Page(
            tuple(self.secrets[arn] for arn in arns), None if last else str(start + self.size)
        )

    def look(self, arn: str) -> Watched | None:
        self.described += 1
        if arn in self.denied:
            raise SecretAccessDenied("its policy")
        return self.newer.get(arn, self.secrets[arn])

    def read(self, arn: str) -> None:
        assert self.canaries[arn].read is not None
        if arn in self.denied:
            raise SecretAccessDenied("its policy")
        self.reads += 1

    def here(self) -> tuple[Trail, ...]:
        return self.trails

    def progress(self) -> Progress | None:
        return self.noted

    def note(self, progress: Progress) -> None:
        self.noted = progress

    def canary(self, arn: str) -> Canary:
        return self.canaries.get(arn, Canary())

    def note_read(self, arn: str, at: dt.datetime) -> None:
        self.canaries[arn] = dataclasses.replace(self.canary(arn), read=at)


class Night:
    """A region that is swept, and who listens."""

    def __init__(self) -> None:
        self.region, self.listener, self.store = Region(), Listener(), MemoryIncidents()
        self.crowds = MemoryCrowds()
        self.time = NOW
        self.started: dict[str, Execution] = {}
        self.looked = 0
        self.suppressed: list[dict[str, Any]] = []

    def digest(self, blind: Iterable[Finding], place: str, now: dt.datetime) -> Finding | None:
        """The real one, of what is suppressed here."""
        made = Digest(lambda: self.suppressed, lambda _: {}, tuple)
        return made(blind, place, now)

    def add(self, count: int = 1, **changes: Any) -> None:
        for _ in range(count):
            arn = ARN.replace("app/db", f"app/{len(self.region.secrets):03}")
            self.region.secrets[arn] = secret(arn=arn, **changes)

    def sweep(self, seconds: float = 300.0) -> Progress:
        return self.sweep_until(Deadline.after(seconds))

    def sweep_until(self, deadline: Deadline) -> Progress:
        def now() -> dt.datetime:
            return self.time

        report = Reporter(self.store, self.listener, crowds=self.crowds, now=now).report
        seen, store, place = (self.region,) * 3, self.store, "111122223333/eu-west-1"
        ports = (*seen, store, report, self, place, self.crowds, now, self.close, self.digest)
        sweep = Sweep(*ports)
        return sweep.run(deadline)

    def close(self) -> int:
        self.looked += 1
        return 0

    def start(self, execution: Execution) -> bool:
        before = execution.name in self.started
        self.started[execution.name] = execution
        return not before

    def told(self) -> list[str]:
        return self.listener.people("kind")

    def kinds(self) -> list[tuple[str, str]]:
        return [(told["kind"], told["status"]) for told in self.listener.heard]


@pytest.fixture
def night() -> Night:
    return Night()


def test_all_secrets_are_looked_at_and_only_suspects_described(night: Night) -> None:
    night.add(6)
    night.add(due=NOW - DAY)
    progress = night.sweep()
    assert (progress.token, progress.secrets, progress.findings) == (None, 7, 1)
    assert (night.region.described, night.kinds()) == (1, [("overdue", "open")])


def test_a_list_that_was_out_of_date_tells_nothing(night: Night) -> None:
    night.add(2, due=NOW - DAY)
    first, second = sorted(night.region.secrets)
    night.region.newer = {first: secret(arn=first), second: None}
    night.sweep()
    assert night.kinds() == []


def test_a_secret_that_another_service_manages_is_told_like_any_other(night: Night) -> None:
    managed = ARN.replace("app/db", "rds!db-1")
    night.add(2)
    night.region.secrets[managed] = secret(arn=managed, due=NOW - DAY)
    assert night.sweep().token is None
    assert [told["secret"] for told in night.listener.heard] == [managed]


def test_a_secret_that_lets_nobody_look_stops_no_sweep_and_is_told_from_the_list(
    night: Night,
) -> None:
    """And no recovery starts, which could not look either."""
    night.add(3, due=NOW - DAY, tags={"rekey:canary": "true"})
    night.region.denied = {min(night.region.secrets)}
    assert night.sweep().token is None
    assert night.kinds() == [("overdue", "open")] * 3
    recovered = {execution.input["secretId"] for execution in night.started.values()}
    assert recovered == set(night.region.secrets) - night.region.denied


def test_a_sweep_goes_on_where_the_time_ran_out(night: Night) -> None:
    night.add(5, due=NOW - DAY)
    tokens = [night.sweep(seconds=1).token for _ in range(3)]
    assert tokens == ["2", "4", None]
    assert (night.region.pages, len(night.kinds())) == (3, 5)
    assert night.sweep(seconds=1).token is None
    assert night.region.pages == 3


def test_each_invocation_looks_for_incidents_that_are_over(night: Night) -> None:
    night.add()
    night.sweep()
    night.sweep()
    assert night.looked == 2


def test_after_a_crash_only_the_last_page_is_done_again(night: Night) -> None:
    night.add(6, due=NOW - DAY)
    night.region.fail_at_page = 3
    with pytest.raises(ConnectionError):
        night.sweep()
    assert night.sweep().secrets == 6
    assert (night.region.pages, len(night.kinds())) == (4, 6)


def test_a_token_that_is_taken_no_more_means_from_the_beginning(night: Night) -> None:
    night.add(3)
    night.region.noted = Progress(NOW - DAY, "expired")
    assert night.sweep().token is None
    assert night.region.pages == 3


def test_the_next_day_it_is_told_once_more_only_if_it_is_over(night: Night) -> None:
    night.add(2, due=NOW - DAY)
    night.sweep()
    healed = min(night.region.secrets)
    night.region.secrets[healed] = secret(arn=healed, rotated=NOW + HOUR, due=NOW + 30 * DAY)
    night.time, before = NOW + DAY, len(night.started)
    night.sweep()
    assert night.kinds() == [("overdue", "open"), ("overdue", "open"), ("overdue", "solved")]
    assert len(night.started) == before + 1


def management(kind: str = "All", **more: Any) -> dict[str, Any]:
    return {"ReadWriteType": kind, "IncludeManagementEvents": True, **more}


def advanced(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}, *fields]}


def without(*sources: str) -> dict[str, Any]:
    return {"Field": "eventSource", "NotEquals": list(sources)}


READS, KMS = ("reads-not-logged", "open"), ("kms-not-logged", "open")
TRAILS: list[tuple[list[tuple[bool, Mapping[str, Any]]], list[tuple[str, str]]]] = [
    ([], [("no-trail", "open")]),
    ([(False, management())], [("no-trail", "open")]),
    ([(True, management())], []),
    ([(True, management("WriteOnly"))], [READS, KMS]),
    ([(True, management("ReadOnly"))], []),
    ([(True, management(IncludeManagementEvents=False))], [READS, KMS]),
    ([(True, management(ExcludeManagementEventSources=["kms.amazonaws.com"]))], [KMS]),
    ([(True, advanced())], []),
    ([(True, advanced(without("kms.amazonaws.com", "rdsdata.amazonaws.com")))], [KMS]),
    ([(True, advanced({"Field": "readOnly", "Equals": ["false"]}))], [READS, KMS]),
    ([(True, advanced({"Field": "readOnly", "Equals": ["true"]}))], []),
    ([(True, advanced({"Field": "eventSource", "Equals": ["s3.amazonaws.com"]}))], [READS, KMS]),
    ([(True, advanced({"Field": "eventSource", "NotStartsWith": ["kms"]}))], [KMS]),
    ([(True, {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]})], [READS, KMS]),
    ([(True, management("WriteOnly")), (True, management())], []),
    ([(True, management("WriteOnly")), (False, management())], [READS, KMS]),
]


@pytest.mark.parametrize(("trails", "told"), TRAILS)
def test_rekey_says_when_it_is_blind(
    night: Night, trails: list[tuple[bool, Mapping[str, Any]]], told: list[tuple[str, str]]
) -> None:
    night.region.trails = tuple(
        Trail(f"trail-{number}", logging=on, selectors=(selector,))
        for number, (on, selector) in enumerate(trails)
    )
    night.sweep()
    assert night.kinds() == told


def test_rekey_says_when_it_sees_again(night: Night) -> None:
    trails, night.region.trails = night.region.trails, ()
    night.sweep()
    night.region.trails, night.time = trails, NOW + DAY
    night.sweep()
    assert night.kinds() == [("no-trail", "open"), ("no-trail", "solved")]


def canary_days(night: Night, seen: str) -> list[tuple[str, str]]:
    """Sweep once a day; `y` and `n` say whether the read arrives afterwards."""
    night.add(tags={"rekey:canary": "true"})
    (arn,) = night.region.secrets
    for day, arrives in enumerate(seen):
        night.time = NOW + day * DAY
        night.sweep()
        known = night.region.canary(arn)
        if arrives == "y":
            night.region.canaries[arn] = dataclasses.replace(known, seen=known.read)
    return night.kinds()


def test_a_canary_that_is_heard_every_day_is_silent(night: Night) -> None:
    assert canary_days(night, "yyy") == []
    assert night.region.reads == 3


def test_a_canary_that_is_not_heard_is_told_until_it_is(night: Night) -> None:
    told = canary_days(night, "ynnyy")
    assert told == [("canary-not-seen", "open"), ("canary-not-seen", "solved")]


def test_a_canary_is_not_judged_before_its_read_can_have_arrived(night: Night) -> None:
    night.add(tags={"rekey:canary": "true"})
    for minutes in (0, 30):
        night.time, night.region.noted = NOW + minutes * dt.timedelta(minutes=1), None
        night.sweep()
    assert (night.kinds(), night.region.reads) == ([], 1)


@settings(deadline=None)
@given(sizes=st.integers(1, 5), count=st.integers(0, 12), stops=st.integers(1, 12))
def test_however_it_is_cut_every_secret_is_looked_at_once(
    sizes: int, count: int, stops: int
) -> None:
    night = Night()
    night.add(count, due=NOW - DAY)
    night.region.size, night.region.fail_at_page = sizes, stops
    try:
        progress = night.sweep(seconds=1)
    except ConnectionError:
        progress = Progress(NOW, "")
    while progress.token is not None:
        try:
            progress = night.sweep(seconds=1)
        except ConnectionError:
            continue
    assert len(night.kinds()) == progress.secrets == count


def test_what_is_stuck_or_overdue_is_recovered_once_a_day_and_nothing_else(night: Night) -> None:
    night.add(2)
    night.add(labels=STUCK)
    night.add(due=NOW - DAY)
    night.add(tags={"rekey:halted": "2026-11-20"})
    night.add(rotated=None, due=None)
    for _ in range(2):
        night.sweep()
    stuck, overdue = (f"{ARN.replace('app/db', f'app/{number:03}')}" for number in (2, 3))
    inputs = sorted(
        (str(e.input["secretId"]), e.input.get("versionId")) for e in night.started.values()
    )
    assert inputs == [(stuck, "v3"), (overdue, None)]
    assert {e.workflow for e in night.started.values()} == {Workflow.RECOVER}
    assert {e.input["happened"] for e in night.started.values()} == {
        "the rotation is overdue or stuck"
    }
    night.time += DAY
    night.sweep()
    assert len(night.started) == 4


def test_the_digest_comes_once_a_week_and_only_if_there_is_something_to_list(night: Night) -> None:
    night.add(1)
    monday = NOW - dt.timedelta(days=NOW.weekday()) + 7 * DAY
    meant = {"owner": "ann", "reason": "why", "principal": "*", "name": "ci"}
    told = []
    for day in range(15):
        night.time = monday + day * DAY
        if day == 2:
            night.suppressed = [{**meant, "expires": int((monday + 9 * DAY).timestamp())}]
        night.sweep()
        told.append([kind for kind, _ in night.kinds()].count("weekly-digest"))
    assert told == [0] * 7 + [1] * 7 + [2]


def test_a_digest_that_was_cut_off_after_it_was_told_is_not_told_again(night: Night) -> None:
    night.add(1)
    night.suppressed = [
        {"owner": "ann", "reason": "why", "principal": "*", "expires": int(NOW.timestamp()) + 9}
    ]
    for _ in range(2):
        night.region.noted = Progress(NOW - 7 * DAY, None)
        night.sweep()
    assert [kind for kind, _ in night.kinds()] == ["weekly-digest"]
