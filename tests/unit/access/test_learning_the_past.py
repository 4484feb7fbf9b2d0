"""What the command learns from CloudTrail's past, and how it goes on after it was stopped."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from local.access.__main__ import arguments
from local.access.bookmark import Bookmark, OvertakenError, Span
from local.access.event_history import INTERVAL, EventHistory, Pace
from local.access.learner import Learner
from local.access.log_files import LogFiles
from local.access.notebook import Notebook
from local.access.report import print_report
from local.access.seed import CALLS, Seed
from rekey.access.thresholds import Thresholds
from rekey.errors import StateTableFailure
from rekey.known import DAY, reader_key, secret_key
from tests.access.records import ACCOUNT, MORNING, REGION, arn, decrypt, record, role, stamp
from tests.access.world import Table, World

NOW = MORNING
APP, OTHER = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("app", "other"))
DB = arn("prod/db")
Found = tuple[int, Mapping[str, Any]]


def read(days_ago: float, name: str = "app", secret: str = DB, **more: Any) -> Found:
    at = int(NOW - days_ago * DAY)
    asked = {"secretId": secret}
    made = record(userIdentity=role(name), requestParameters=asked, eventTime=stamp(at), **more)
    return at, made


def learner(table: Table | None, *, listed: frozenset[str] = frozenset({DB})) -> Learner:
    ours = frozenset({f"arn:aws:iam::{ACCOUNT}:role/rekey-rotate"})
    return Learner(Notebook(table, NOW), listed, ours, Thresholds())


def seed(
    table: Table, *found: Found, span: Span | None = None, taught: Learner | None = None
) -> Seed:
    bookmark = Bookmark(table)
    wanted = span or Span(NOW - 90 * DAY, NOW, CALLS)
    seeding = Seed(taught or learner(table), bookmark, bookmark.unfinished(wanted) or wanted, NOW)
    ordered = sorted(found, key=lambda one: -one[0])
    seeding.run((one for one in ordered if one[0] <= seeding.span.until), lambda _: None)
    return seeding


def kinds(table: Table, *records: Mapping[str, Any]) -> set[str]:
    return {signal.kind.value for signal in World(table).see(*(dict(r) for r in records))}


def test_a_secret_is_settled_at_once_and_only_who_never_read_it_is_new() -> None:
    table = Table(now=NOW)
    seed(table, read(80), read(3), read(2, "other"))
    assert kinds(table, read(0)[1], read(0, "other")[1]) == set()
    assert "new-reader" in kinds(table, read(0, "stranger")[1])


def test_without_the_past_nobody_is_new() -> None:
    table = Table(now=NOW)
    assert kinds(table, read(0, "stranger")[1]) == set()


def test_learning_twice_and_in_parts_ends_in_the_same_items() -> None:
    past = [read(day + 0.1 * n, name) for day in range(1, 80, 7) for n, name in enumerate("abc")]
    once, twice, parts = Table(now=NOW), Table(now=NOW), Table(now=NOW)
    seed(once, *past)
    seed(twice, *past)
    writes = twice.writes
    seed(twice, *past)
    for start in range(0, len(past), 5):
        taught = learner(parts)
        taught.take(past[start : start + 5])
        taught.notebook.write()
    keys = {key for key in once.items if key.pk != "learned"}
    assert {k: once.items[k] for k in keys} == {k: twice.items[k] for k in keys}
    assert {k: once.items[k] for k in keys} == {k: parts.items[k] for k in keys}
    assert twice.writes == writes + 1, "the note alone is written again"


def test_what_the_watch_has_learned_meanwhile_is_kept() -> None:
    table = Table(now=NOW)
    taught = learner(table)
    taught.take([read(50)])
    World(table).see(
        dict(read(0)[1]), decrypt(DB, "v7", userIdentity=role("app"), eventTime=stamp(NOW))
    )
    taught.notebook.write()
    reader = table.items[reader_key(DB, APP)]
    assert (reader.minima["first"], reader.maxima["last"]) == (NOW - 50 * DAY, NOW)
    assert "v:v7" in reader.maxima


def test_nothing_that_has_expired_is_written() -> None:
    table = Table(now=NOW)
    many = [read(40, secret=arn(f"s{n}")) for n in range(30)]
    seed(table, *many)
    assert not [key for key in table.items if key.sk.startswith("window")]
    assert all(item.expires > NOW for item in table.items.values())


def test_a_burst_of_the_past_counts_as_the_principals_own() -> None:
    table = Table(now=NOW)
    seed(table, *(read(40, secret=arn(f"s{n}")) for n in range(30)))
    (profile,) = [item for key, item in table.items.items() if key.pk == f"principal#{APP}"]
    assert profile.family("peak") == {"2026-04-22": 30}


def test_the_secret_is_written_after_its_readers() -> None:
    """Else a reader whom the past knows would be new to the watch for a moment."""
    table = Table(now=NOW)
    seed(table, *(read(day, name) for day in (70, 30) for name in ("app", "other")))
    order = [key for key in table.items if key.pk == secret_key(DB).pk]
    assert order[-1] == secret_key(DB)


def test_our_own_roles_are_left_out() -> None:
    table = Table(now=NOW)
    seed(table, read(30, "rekey-rotate"))
    assert [key.pk for key in table.items] == ["learned"]


def test_a_promotion_of_the_past_is_known() -> None:
    table = Table(now=NOW)
    moved = {
        "secretId": DB,
        "versionStage": "AWSCURRENT",
        "removeFromVersionId": "v1",
        "moveToVersionId": "v2",
    }
    at = NOW - 9 * DAY
    made = record("UpdateSecretVersionStage", requestParameters=moved, eventTime=stamp(at))
    seed(table, (at, made))
    assert table.items[secret_key(DB)].maxima == {"c:v2": at, "l:v1": at}


def test_a_stopped_run_goes_on_from_what_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.access.seed.AT_A_TIME", 1)
    monkeypatch.setattr("local.access.seed.WRITTEN_AFTER", 2)
    table, span = Table(now=NOW), Span(NOW - 90 * DAY, NOW, CALLS)

    def cut_off() -> Iterator[Found]:
        yield from (read(1), read(2), read(3))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Seed(learner(table), Bookmark(table), span, NOW).run(cut_off(), lambda _: None)
    assert Bookmark(table).unfinished(span) == Span(span.since, NOW - 2 * DAY, CALLS)
    left = seed(table, read(1, "not-again"), read(2), read(3), read(60)).learner
    assert left.learned.events["GetSecretValue"] == 3
    assert Bookmark(table).unfinished(span) is None
    assert table.items[reader_key(DB, APP)].minima["first"] == NOW - 60 * DAY


def test_a_run_that_asks_for_more_is_not_the_same() -> None:
    table = Table(now=NOW)
    seed(table, span=Span(NOW - 10 * DAY, NOW, CALLS))
    further = Span(NOW - 90 * DAY, NOW, CALLS)
    assert Bookmark(table).unfinished(further) == Span(further.since, NOW - 10 * DAY, CALLS)
    assert Bookmark(table).unfinished(Span(further.since, NOW, (*CALLS, "Decrypt"))) is None


def test_two_who_learn_at_once_notice() -> None:
    table, span = Table(now=NOW), Span(NOW - 90 * DAY, NOW, CALLS)
    one, other = Bookmark(table), Bookmark(table)
    one.put(span, NOW - DAY, NOW)
    with pytest.raises(OvertakenError):
        other.put(span, NOW - DAY, NOW)


def test_a_table_that_others_keep_changing_is_given_up() -> None:
    class Contended(Table):
        def save(self, item: Any) -> bool:  # noqa: ARG002 - a port
            return False

    taught = learner(Contended(now=NOW))
    taught.take([read(1)])
    with pytest.raises(StateTableFailure):
        taught.notebook.write()


def test_what_is_not_understood_is_counted_and_stops_nothing() -> None:
    taught = learner(None, listed=frozenset())
    broken = {"eventName": "GetSecretValue", "eventSource": "secretsmanager.amazonaws.com"}
    elsewhere = {"eventName": "Decrypt", "eventSource": "payment-cryptography.amazonaws.com"}
    taught.take([(NOW - DAY, broken), (NOW - DAY, elsewhere), read(1)])
    assert taught.learned.refused == {"no-event-id": 1, "unknown-call": 1}
    console = Console(file=io.StringIO(), width=200)
    print_report(console, taught, NOW, None)
    said = console.file.getvalue()  # type: ignore[attr-defined]  # StringIO
    assert "Secrets that were read: 1, of which 0 for 14 days or more" in said
    assert "Principals: 1. Pairs of reader and secret: 1." in said
    assert "not understood (no-event-id): 1" in said
    assert "do not exist any more, or not here: 1" in said
    assert "Nothing was written." in said


class CloudTrail:
    """LookupEvents as far as paging goes; the account's own is asked in the end-to-end test."""

    def __init__(self, records: list[Found], old: int | None = None) -> None:
        self.records, self.requests, self._old = records, list[dict[str, Any]](), old

    def lookup_events(self, **asked: Any) -> dict[str, Any]:
        self.requests.append(asked)
        if len(self.requests) == self._old:
            code = {"Error": {"Code": "InvalidNextTokenException", "Message": ""}}
            raise ClientError(code, "LookupEvents")  # type: ignore[arg-type]  # all it has
        name = asked["LookupAttributes"][0]["AttributeValue"]
        found = sorted((r for r in self.records if r[1]["eventName"] == name), key=lambda r: -r[0])
        found = [one for one in found if one[0] <= asked["EndTime"].timestamp()]
        start = int(asked.get("NextToken", 0))
        page = [
            {"EventTime": datetime.fromtimestamp(at, UTC), "CloudTrailEvent": json.dumps(record)}
            for at, record in found[start : start + 2]
        ]
        more = {"NextToken": str(start + 2)} if len(found) > start + 2 else {}
        return {"Events": page, **more}


def history(cloudtrail: Any, waits: list[float] | None = None) -> EventHistory:
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds
        (waits if waits is not None else []).append(seconds)

    return EventHistory(cloudtrail, Pace(now=lambda: clock[0], sleep=sleep))


def put(days_ago: float) -> Found:
    at, made = read(days_ago)
    return at, {**made, "eventName": "PutSecretValue"}


PAST = [read(1), put(2), read(3), read(4), put(5), read(6), read(7)]


def test_all_calls_come_in_the_order_of_time_the_newest_first() -> None:
    waits = list[float]()
    found = history(CloudTrail(PAST), waits).records(CALLS[:1] + CALLS[4:5], NOW - 90 * DAY, NOW)
    assert [at for at, _ in found] == [at for at, _ in PAST]
    assert waits == [INTERVAL] * 3, "four requests, at most two a second"


def test_a_token_that_is_too_old_loses_nothing() -> None:
    cloudtrail = CloudTrail(PAST, old=2)
    found = list(history(cloudtrail).records(("GetSecretValue",), NOW - 90 * DAY, NOW))
    expected = {at for at, made in PAST if made["eventName"] == "GetSecretValue"}
    assert {at for at, _ in found} == expected


def test_log_files_say_the_same_as_the_history(tmp_path: Path) -> None:
    for number, (_, made) in enumerate(PAST):
        name = f"{ACCOUNT}_CloudTrail_{REGION}_202605{30 - number}T0000Z_{number}.json.gz"
        elsewhere = {**made, "awsRegion": "us-east-1"}
        (tmp_path / name).write_bytes(
            gzip.compress(json.dumps({"Records": [elsewhere, made]}).encode())
        )
    (tmp_path / "broken.json.gz").write_bytes(b"not gzip")
    files = LogFiles(tmp_path, ACCOUNT, REGION)
    found = list(files.records(CALLS, NOW - 6 * DAY, NOW))
    assert found == PAST[:-1]
    assert [path.name for path in files.unreadable] == ["broken.json.gz"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--days", "91"], "must be 1 to 90"),
        (["--until", "yesterday"], "a date like"),
        (["--log-files", "/nowhere"], "there is no folder"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_to_do(
    words: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        arguments(["seed", *words])
    assert text in capsys.readouterr().err
