"""Who still has the old version after a rotation, and whether it may be retired."""

from __future__ import annotations

from rekey.access.stale import Consumption, consumers, lost_current, may_retire
from rekey.known import Item, reader_key, secret_key
from tests.access.records import arn

DB = arn("prod/db")
ROTATED = 1000


def reader(name: str, last: int, **versions: int) -> Item:
    maxima = {f"v:{version}": at for version, at in versions.items()}
    return Item(reader_key(DB, name), {"first": 1}, {"last": last, **maxima})


def test_the_table_tells_what_each_reader_has_done_since() -> None:
    table = consumers(
        [
            reader("renewed", 1200, old=900, new=1200),
            reader("stale", 1300, old=1300),
            reader("both", 1300, old=1100, new=1300),
            reader("silent", 900, old=900),
            reader("unseen", 1200),
        ],
        "old",
        ROTATED,
    )
    assert {line.principal: line.consumption for line in table} == {
        "renewed": Consumption.RENEWED,
        "stale": Consumption.STALE,
        "both": Consumption.STALE,
        "silent": Consumption.SILENT,
        "unseen": Consumption.UNSEEN,
    }
    assert {line.principal: line.version for line in table}["both"] == "new"


def test_the_gate_is_shut_while_somebody_is_given_the_old_version() -> None:
    stale = consumers([reader("app", 1300, old=1300)], "old", ROTATED)
    silent = consumers([reader("app", 900, old=900)], "old", ROTATED)
    assert may_retire(stale) == (False, "1 still read the old version: app")
    assert may_retire(silent)[0]
    assert "1 of 1 readers are silent" in may_retire(silent)[1]


def test_a_version_loses_awscurrent_when_the_next_one_gains_it() -> None:
    secret = Item(secret_key(DB), maxima={"c:v1": 10, "c:v2": 20, "c:v3": 30, "l:v0": 10})
    assert [lost_current(secret, f"v{n}") for n in range(5)] == [10, 20, 30, None, None]


def test_a_version_that_a_roll_back_brought_back_is_in_use() -> None:
    secret = Item(secret_key(DB), maxima={"c:v1": 30, "l:v1": 20, "c:v2": 20})
    assert lost_current(secret, "v1") is None
    assert lost_current(secret, "v2") == 30
