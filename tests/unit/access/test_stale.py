"""Who still has the old version after a rotation, and whether it may be retired."""

from __future__ import annotations

from rekey.access.stale import (
    Answer,
    Consumer,
    Consumption,
    Replaced,
    consumers,
    judged,
    lost_current,
    replaced,
)
from rekey.known import HOUR, Item, Key, reader_key, secret_key
from tests.access.records import ACCOUNT, MORNING, Record, arn, decrypt, record, stamp
from tests.access.world import World

DB = arn("prod/db")
ROTATED, GRACE = 10_000, 3900
OLD = Replaced("old", frozenset({"new"}), frozenset({"ancient"}), ROTATED, ROTATED + 4000, GRACE)


def reader(name: str, last: int, **versions: int) -> Item:
    maxima = {f"v:{version}": ROTATED + at for version, at in versions.items()}
    return Item(reader_key(DB, name), {"first": 1}, {"last": ROTATED + last, **maxima})


def test_the_table_tells_what_each_reader_has_done_since_and_begins_with_who_matters() -> None:
    table = consumers(
        [
            reader("renewed", 200, old=-100, new=200),
            reader("stale", 300, old=300),
            reader("both", 600, old=500, new=600),
            reader("silent", -100, old=-100),
            reader("unseen", 200),
            reader("outdated", 200, ancient=200),
            reader("unknown", 200, other=200),
        ],
        OLD,
    )
    assert [(line.principal, line.consumption) for line in table] == [
        ("both", Consumption.STALE),
        ("stale", Consumption.STALE),
        ("outdated", Consumption.OUTDATED),
        ("silent", Consumption.SILENT),
        ("unknown", Consumption.UNSEEN),
        ("unseen", Consumption.UNSEEN),
        ("renewed", Consumption.RENEWED),
    ]
    assert {line.principal: line.version for line in table}["both"] == "old"


def test_who_was_given_the_old_version_in_the_hand_over_and_a_newer_one_has_renewed() -> None:
    for old, new in ((200, 400), (200, 100)):
        (line,) = consumers([reader("app", 400, old=old, new=new)], OLD)
        assert line.consumption is Consumption.RENEWED
    (line,) = consumers([reader("app", 200, old=200)], OLD)
    assert line.consumption is Consumption.STALE


def test_who_was_given_both_uses_the_old_one_until_it_was_not_given_out_for_the_grace() -> None:
    both = reader("app", 900, old=800, new=900)
    for now, consumption in ((4700, Consumption.STALE), (4701, Consumption.RENEWED)):
        asked = Replaced("old", OLD.newer, OLD.older, ROTATED, ROTATED + now, GRACE)
        assert consumers([both], asked)[0].consumption is consumption


def table(*readers: Item) -> list[Consumer]:
    return consumers(readers, OLD)


def test_the_gate_is_shut_while_somebody_is_given_the_old_version() -> None:
    answer, reason = judged(table(reader("app", 900, old=900), reader("b", -1, old=-1)))
    assert (answer, reason) == (Answer.STALE, "1 of 2 readers use the old version: app")


def test_silence_shuts_no_gate_and_is_told() -> None:
    answer, reason = judged(table(reader("app", -100, old=-100)))
    assert answer is Answer.CLEAR
    assert "1 of 1 readers are silent" in reason


def test_where_nothing_is_known_about_reads_the_gate_says_so() -> None:
    assert judged([])[0] is Answer.UNKNOWN
    assert judged(table(reader("unseen", 100), reader("silent", -9)))[0] is Answer.UNKNOWN
    assert judged(table(reader("unseen", 100), reader("a", 50, new=50)))[0] is Answer.CLEAR
    assert replaced(Item(secret_key(DB)), "old", "new", 1, GRACE) is None


def test_a_version_loses_awscurrent_when_the_next_one_gains_it() -> None:
    secret = Item(secret_key(DB), maxima={"c:v1": 10, "c:v2": 20, "c:v3": 30, "l:v0": 10})
    assert [lost_current(secret, f"v{n}") for n in range(5)] == [10, 20, 30, None, None]


def test_a_version_that_a_roll_back_brought_back_is_in_use() -> None:
    secret = Item(secret_key(DB), maxima={"c:v1": 30, "l:v1": 20, "c:v2": 20})
    assert lost_current(secret, "v1") is None
    assert lost_current(secret, "v2") == 30
    asked = replaced(secret, "v2", "v1", 40, GRACE)
    assert asked == Replaced("v2", frozenset({"v1"}), frozenset(), 30, 40, GRACE)


def given(version: str, at: int) -> Record:
    return decrypt(DB, version, eventTime=stamp(at))


def move(to: str, away: str, at: int) -> Record:
    asked = {"secretId": DB, "versionStage": "AWSCURRENT"}
    parameters = {**asked, "moveToVersionId": to, "removeFromVersionId": away}
    return record("UpdateSecretVersionStage", requestParameters=parameters, eventTime=stamp(at))


def seen(*records: Record) -> World:
    """Each record in a batch of its own: `app` reads v1, which v2 replaces an hour later."""
    world = World()
    world.see_each(given("v1", MORNING), move("v2", "v1", MORNING + HOUR), *records)
    return world


def consumption(world: World, now: int) -> Consumption:
    items, app = world.table.items, reader_key(DB, f"arn:aws:iam::{ACCOUNT}:role/app")
    old = replaced(items[secret_key(DB)], "v1", "v2", now, GRACE)
    assert old is not None
    return consumers([items[app]], old)[0].consumption


def test_a_read_of_the_old_version_is_known_at_once_however_lately_it_was_read_before() -> None:
    assert consumption(seen(), MORNING + 3 * HOUR) is Consumption.SILENT
    world = seen(given("v1", MORNING + 2 * HOUR))
    assert consumption(world, MORNING + 3 * HOUR) is Consumption.STALE


def test_a_first_read_after_a_rotation_is_known_at_once_though_no_version_is_seen() -> None:
    world = seen(record(requestParameters={"secretId": DB}, eventTime=stamp(MORNING + 2 * HOUR)))
    assert consumption(world, MORNING + 3 * HOUR) is Consumption.UNSEEN


def test_old_versions_read_again_and_again_are_written_once_in_five_minutes() -> None:
    soon = MORNING + HOUR + 600
    world = seen(given("v1", soon))
    before = world.table.writes
    world.see_each(*(given("v1", soon + second) for second in range(1, 700, 10)))
    assert world.table.writes - before == 2


def test_what_everybody_does_after_a_rotation_is_written_once() -> None:
    world = seen(given("v2", MORNING + 2 * HOUR))
    before = world.table.writes
    world.see_each(*(given("v2", MORNING + 2 * HOUR + second) for second in range(1, 700, 10)))
    assert world.table.writes == before
    key = Key(secret_key(DB).pk, "secret")
    assert set(world.table.items[key].maxima) == {"c:v2", "l:v1"}
