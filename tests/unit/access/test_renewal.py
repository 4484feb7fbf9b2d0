"""After a rotation: whether the old version may go, and who is told of whom, once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from local.toolchain import CHECKOUT
from rekey.access.follow_up import FollowUp
from rekey.access.renewal import PATIENCE, Judge
from rekey.alerts.report import Reporter
from rekey.errors import InvalidEvent, SecretAccessDenied, StateTableFailure
from rekey.known import DAY, HOUR, Item, reader_key, rotation_key
from rekey.model import Label, SecretMetadata
from tests.access.records import ACCOUNT, MORNING, Record, decrypt, record, role, stamp
from tests.access.world import World
from tests.incident_store import MemoryIncidents
from tests.secret_store import SecretStoreInMemory
from tests.unit.alerts.test_incidents import Listener

GRACE = 3900
EVENTS = CHECKOUT / "events" / "judge_consumers"
ASK, KEEP, FOLLOW = (
    json.loads((EVENTS / f"{name}.json").read_text()) for name in ("ask", "keep", "follow")
)
DB, NEW = ASK["secretId"], ASK["versionId"]


class Denying(SecretStoreInMemory):
    def describe(self, secret_id: str) -> SecretMetadata:
        raise SecretAccessDenied(secret_id)


@dataclass
class Account:
    """A secret that `app` reads, what the table knows of it, and what people have heard."""

    strategy: Label = Label.DUAL_PASSWORD
    now: int = MORNING + HOUR + GRACE
    watched: World = field(default_factory=World)
    store: SecretStoreInMemory = field(default_factory=SecretStoreInMemory)
    people: Listener = field(default_factory=Listener)
    incidents: MemoryIncidents = field(default_factory=MemoryIncidents)

    def __post_init__(self) -> None:
        self.store.create(DB, "value")
        self.reads("v1", MORNING)

    def reads(self, version: str, at: int, by: str = "app", **who: Any) -> None:
        identity: Record = who.get("identity") or role(by)
        self.watched.see(decrypt(DB, version, eventTime=stamp(at), userIdentity=identity))

    def rotated(self, to: str = NEW, at: int = MORNING + HOUR, *, recorded: bool = True) -> Account:
        secret = self.store.secrets[DB]
        away = secret.holder(Label.CURRENT)
        secret.labels[to] = {Label.INTENT, self.strategy}
        secret.move(Label.CURRENT, to)
        if recorded:
            asked = {"secretId": DB, "versionStage": "AWSCURRENT"}
            moved = {**asked, "moveToVersionId": to, "removeFromVersionId": away}
            call = "UpdateSecretVersionStage"
            self.watched.see(record(call, requestParameters=moved, eventTime=stamp(at)))
        return self

    @property
    def follow_up(self) -> FollowUp:
        def clock() -> datetime:
            return datetime.fromtimestamp(self.now, UTC)

        judge = Judge(self.store, self.watched.table, self.watched, GRACE, lambda: self.now)
        return FollowUp(judge, Reporter(self.incidents, self.people, now=clock))

    def ask(self) -> dict[str, Any]:
        return self.follow_up.run(ASK)

    def follow(self, later: int = 0) -> list[str]:
        """Look again after so many seconds; severity and status of what people have heard."""
        self.now += later
        self.follow_up.run(FOLLOW)
        return [f"{told['severity']} {told['status']}" for told in self.people.heard]

    def waiting(self) -> list[str]:
        return [item.key.sk for item in self.watched.table.rotations()]


LATER = MORNING + 2 * HOUR


def test_who_was_given_the_old_version_shuts_the_gate_and_stands_in_the_answer() -> None:
    account = Account().rotated()
    account.reads("v1", LATER)
    answer = account.ask()
    assert (answer["outcome"], answer["oldVersionId"]) == ("stale", "v1")
    (line,) = answer["consumers"]
    assert line == {
        "principal": f"arn:aws:iam::{ACCOUNT}:role/app",
        "consumption": "stale",
        "lastRead": LATER,
        "versionId": "v1",
    }


def test_who_has_renewed_or_is_silent_does_not() -> None:
    account = Account().rotated()
    assert account.ask()["outcome"] == "clear"
    account.reads(NEW, LATER)
    assert account.ask()["outcome"] == "clear"


def test_the_role_of_the_rotation_function_is_no_consumer() -> None:
    account = Account().rotated()
    account.reads("v1", LATER, by="rotate")
    account.watched.rotators[DB] = f"arn:aws:iam::{ACCOUNT}:role/rotate"
    assert account.ask()["outcome"] == "clear"
    account.watched.rotators.clear()
    assert account.ask()["outcome"] == "stale"


@pytest.mark.parametrize("known", ["no record of the rotation", "no reader", "no description"])
def test_what_is_not_known_shuts_no_gate_and_is_said(known: str) -> None:
    account = Account()
    if known == "no reader":
        account.watched.table.forget(reader_key(DB, f"arn:aws:iam::{ACCOUNT}:role/app"))
    account.rotated(recorded=known != "no record of the rotation")
    if known == "no description":
        account.store = Denying()
    answer = account.ask()
    assert answer["outcome"] == "unknown"
    assert answer["reason"]


def test_after_another_rotation_the_answer_is_that_one_s() -> None:
    account = Account().rotated()
    account.reads("v1", LATER)
    account.rotated("v3", LATER + 60)
    assert account.ask()["outcome"] == "superseded"


def test_a_consumer_is_told_once_after_the_grace_and_again_when_it_has_renewed() -> None:
    account = Account().rotated()
    account.reads("v1", LATER)
    account.now = MORNING + HOUR + GRACE - 1
    assert account.follow() == []
    assert account.follow(1) == ["medium open"]
    assert account.follow(HOUR) == ["medium open"]
    account.reads(NEW, account.now)
    assert account.follow(HOUR) == ["medium open", "medium solved"]
    assert account.waiting() == []
    (told, _) = account.people.heard
    assert told["table"]["rows"] == [
        [f'"arn:aws:iam::{ACCOUNT}:role/app"', "stale", "2026-06-01 10:00 UTC", "v1"]
    ]
    assert "1 of 1 consumers" in told["what"]
    assert told["secret"] == DB


def test_where_the_old_password_is_gone_a_stale_consumer_fails_now() -> None:
    account = Account(Label.SINGLE_USER).rotated()
    account.reads("v1", LATER)
    assert account.follow() == ["high open"]
    assert "refused when they log in" in account.people.said("what")[0]


def test_silence_is_told_after_a_day_as_low_and_only_of_what_held_the_old_version() -> None:
    account = Account().rotated()
    account.reads("v0", MORNING - HOUR, by="gone")
    account.reads("v1", MORNING, identity=role("AWSReservedSSO_Ops_0123456789abcdef", "jane"))
    assert account.follow() == []
    assert account.follow(PATIENCE) == ["low open"]
    assert [row[0] for row in account.people.said("table")[0]["rows"]] == [
        f'"arn:aws:iam::{ACCOUNT}:role/app"'
    ]
    account.reads(NEW, account.now)
    assert account.follow(HOUR * 6) == ["low open", "low solved"]


def test_nobody_hears_of_a_rotation_that_everybody_has_followed() -> None:
    account = Account().rotated()
    account.reads(NEW, LATER)
    assert account.follow() == []
    assert account.waiting() == []
    assert account.incidents.get_many([]) == {}


def test_a_newer_rotation_ends_what_was_told_of_the_one_before_and_begins_anew() -> None:
    account = Account().rotated()
    account.reads("v1", LATER)
    account.follow()
    account.rotated("v3", account.now)
    account.reads("v1", account.now + HOUR)
    assert account.follow(2 * HOUR) == ["medium open", "medium open", "medium solved"]
    assert account.people.said("table")[1]["rows"][0][1::2] == ["outdated", "v1"]
    ended = account.people.heard[-1]["what"]
    assert "not followed any more" in ended
    assert "something newer counts" in ended
    assert "No consumer" not in ended
    assert account.waiting() == [rotation_key(DB, "v3").sk]


def test_who_reads_a_version_whose_password_is_gone_anyway_shuts_no_gate() -> None:
    account = Account().rotated(at=MORNING + 60).rotated("v3")
    account.reads("v1", LATER)
    answer = account.follow_up.run({**ASK, "versionId": "v3"})
    assert (answer["outcome"], answer["consumers"][0]["consumption"]) == ("clear", "outdated")


def test_a_secret_without_rotation_is_nobody_s_business() -> None:
    account = Account().rotated()
    account.reads("v1", LATER)
    account.store.secrets[DB].rotation_enabled = False
    assert account.follow() == []
    assert account.waiting() == []


def test_a_rotation_of_which_nothing_gets_known_is_followed_until_something_does() -> None:
    account = Account().rotated()
    account.watched.table.forget(reader_key(DB, f"arn:aws:iam::{ACCOUNT}:role/app"))
    account.follow()
    assert account.follow(2 * DAY) == []
    assert account.waiting()
    account.reads("v1", account.now)
    assert account.follow(DAY) == ["medium open"]


def test_what_is_not_known_for_a_while_is_not_called_solved() -> None:
    account = Account().rotated()
    account.reads("v1", LATER)
    account.follow()
    known, account.store = account.store, Denying()
    assert account.follow(2 * DAY) == ["medium open"]
    account.store = known
    account.reads(NEW, account.now)
    assert account.follow(2 * DAY) == ["medium open", "medium solved"]
    assert "No consumer is known any more" in account.people.heard[-1]["what"]


def test_an_old_password_that_is_kept_is_told_with_the_table_and_with_what_to_do() -> None:
    account = Account().rotated()
    account.reads("v1", LATER)
    account.follow()
    account.follow_up.run(KEEP)
    account.follow_up.run(KEEP)
    assert account.people.said("kind") == ["not-renewed", "old-password-kept"]
    kept = account.people.heard[-1]
    assert (kept["severity"], kept["status"]) == ("high", "updated")
    assert "24 h" in kept["what"]
    assert kept["table"]["rows"]
    account.reads(NEW, account.now)
    account.follow(HOUR * 2)
    assert "by hand" in account.people.heard[-1]["nextSteps"][0]


def test_nothing_is_told_of_a_password_that_nobody_needs_any_more() -> None:
    account = Account().rotated()
    assert account.follow_up.run(KEEP)["outcome"] == "clear"
    assert account.people.heard == []


def test_one_secret_that_fails_keeps_no_other_waiting() -> None:
    account = Account().rotated()
    account.reads("v1", LATER)
    other = rotation_key("arn:aws:secretsmanager:eu-central-1:111122223333:secret:a-AbCdEf", "v1")
    account.watched.table.save(Item(other, {"at": MORNING}, expires=account.now + DAY))

    class Failing(SecretStoreInMemory):
        def describe(self, secret_id: str) -> SecretMetadata:
            if secret_id != DB:
                raise StateTableFailure("down")
            return super().describe(secret_id)

    failing = Failing()
    failing.secrets = account.store.secrets
    account.store = failing
    with pytest.raises(StateTableFailure):
        account.follow()
    assert account.people.said("status") == ["open"]
    assert other.sk in account.waiting()


def test_rotations_are_looked_at_more_seldom_as_they_grow_old() -> None:
    account = Account().rotated()
    account.reads("v1", LATER)
    looked = list[int]()
    for _ in range(3 * 96):
        if account.follow_up.run(FOLLOW)["looked"]:
            looked.append(account.now)
        account.reads("v1", account.now)
        account.now += 900
    gaps = [after - before for before, after in pairwise(looked)]
    assert gaps[0] == 900
    assert gaps[-1] >= 6 * HOUR
    assert len(looked) < 40


def test_a_task_that_nobody_knows_is_an_error() -> None:
    for event in ({"task": "other"}, {"task": "ask"}, {"task": "ask", "secretId": DB}):
        with pytest.raises(InvalidEvent):
            Account().follow_up.run(event)
