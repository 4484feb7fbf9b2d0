"""Observations in the shapes that the account hands out, and the rows that they make."""

import io
from typing import Any

from rich.console import Console

from local.demo.screen import Screen
from local.demo.timeline import Row, Timeline, moved, timeline

BEFORE = {"AWSCURRENT": "v1"}
STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]
Document = dict[str, Any]


def record(name: str, parameters: Document | None = None, **keys: Any) -> Document:
    return {
        "eventName": name,
        "eventSource": "secretsmanager.amazonaws.com",
        "userIdentity": {"arn": "arn:aws:sts::000000000000:assumed-role/r/rekey-rotate-mysql"},
        "requestParameters": parameters,
        **keys,
    }


def line(step: str, outcome: str = "done", reason: str = "") -> Document:
    return {"step": step, "duration_ms": 1.5, "outcome": outcome, "reason": reason}


ASKED = record("RotateSecret", {"clientRequestToken": "v2"}, userIdentity={"type": "Root"})
DESCRIBED = record("DescribeSecret", {"secretId": "s"})
GOT_CURRENT = record("GetSecretValue", {"versionStage": "AWSCURRENT"})
GOT_PENDING = record("GetSecretValue", {"versionId": "v2", "versionStage": "AWSPENDING"})
PUT = record(
    "PutSecretValue",
    {"clientRequestToken": "v2", "versionStages": ["AWSPENDING", "REKEY_INTENT"]},
)
PROMOTED = record(
    "UpdateSecretVersionStage",
    {"versionStage": "AWSCURRENT", "moveToVersionId": "v2", "removeFromVersionId": "v1"},
)
SUCCEEDED = record("RotationSucceeded", userIdentity={})
FAILED = record("RotationFailed", userIdentity={})
CREATE, SET, TEST = [DESCRIBED, GOT_CURRENT, PUT], [GOT_PENDING, GOT_CURRENT], [GOT_PENDING]
WHOLE = [ASKED, *CREATE, *SET, *TEST, DESCRIBED, PROMOTED, SUCCEEDED]


def calls(seen: Timeline) -> list[int]:
    return [len(row.calls) for row in seen.rows]


def test_calls_are_counted_for_the_step_that_made_them() -> None:
    seen = timeline(BEFORE, WHOLE, [line(step) for step in STEPS])
    assert [row.step for row in seen.rows] == STEPS
    assert calls(seen) == [3, 2, 1, 2]
    assert seen.calls == 8
    assert seen.is_complete


def test_each_step_shows_the_labels_that_stood_after_it() -> None:
    seen = timeline(BEFORE, WHOLE, [line(step) for step in STEPS])
    assert {row.labels["AWSCURRENT"] for row in seen.rows[:3]} == {"v1"}
    assert {row.labels["AWSPENDING"] for row in seen.rows} == {"v2"}
    assert seen.rows[3].labels["AWSCURRENT"] == "v2"
    assert seen.labels == {"AWSCURRENT": "v2", "AWSPREVIOUS": "v1", "REKEY_INTENT": "v2"}


def test_a_step_that_has_not_reported_yet_is_shown_by_its_calls_so_far() -> None:
    seen = timeline(BEFORE, [ASKED, *CREATE, GOT_PENDING], [line("createSecret")])
    last = seen.rows[-1]
    assert (last.step, last.calls, last.is_over) == ("setSecret", ("GetSecretValue",), False)
    assert not seen.is_complete


def test_an_end_without_the_last_step_s_line_is_not_complete() -> None:
    seen = timeline(BEFORE, WHOLE, [line(step) for step in STEPS[:3]])
    assert seen.end == "RotationSucceeded"
    assert not seen.is_complete


def test_after_a_failed_step_the_service_begins_again() -> None:
    lines = [line("createSecret"), line("setSecret", "DatabaseUnreachable", "refused")]
    records = [ASKED, *CREATE, *SET, *CREATE, *SET, FAILED]
    during = timeline(BEFORE, [*records[:6], DESCRIBED], lines)
    assert during.rows[-1].step == "createSecret"
    seen = timeline(BEFORE, records, lines * 2)
    assert calls(seen) == [3, 2, 3, 2]
    assert seen.end == "RotationFailed"
    assert seen.failure is not None
    assert (seen.failure.outcome, seen.failure.reason) == ("DatabaseUnreachable", "refused")
    assert seen.labels["AWSCURRENT"] == "v1"


def test_labels_that_are_read_after_the_superuser_s_secret_begin_no_step() -> None:
    superuser = record("GetSecretValue", {"secretId": "another", "versionStage": "AWSCURRENT"})
    dual = [*SET, superuser, DESCRIBED]
    seen = timeline(BEFORE, [ASKED, *CREATE, *dual, *TEST, DESCRIBED, PROMOTED, SUCCEEDED], [])
    assert calls(seen) == [3, 4, 1, 2]


def test_calls_of_others_are_not_the_function_s() -> None:
    consumer = record("GetSecretValue", {"versionStage": "AWSCURRENT"}, userIdentity={})
    decrypt = record("Decrypt", {}, eventSource="kms.amazonaws.com")
    assert timeline(BEFORE, [consumer, decrypt, *CREATE], []).calls == 3


def test_a_refused_call_is_counted_and_moves_no_label() -> None:
    refused = PUT | {"errorCode": "ResourceExistsException"}
    seen = timeline(BEFORE, [DESCRIBED, GOT_CURRENT, refused], [])
    assert calls(seen) == [3]
    assert seen.labels == BEFORE


def test_a_denied_call_has_no_parameters_and_is_counted() -> None:
    denied = record("GetSecretValue", None, errorCode="AccessDenied")
    assert calls(timeline(BEFORE, [*TEST, denied], [])) == [2]


def test_a_label_that_is_taken_away_stands_nowhere() -> None:
    taken = {"versionStage": "AWSPENDING", "removeFromVersionId": "v2"}
    after = moved({"AWSPENDING": "v2"}, record("UpdateSecretVersionStage", taken))
    assert after == {}


def test_only_awscurrent_leaves_awsprevious_behind() -> None:
    there = {"versionStage": "REKEY_INTENT", "moveToVersionId": "v2"}
    after = moved({**BEFORE, "REKEY_INTENT": "v1"}, record("UpdateSecretVersionStage", there))
    assert after == {"AWSCURRENT": "v1", "REKEY_INTENT": "v2"}


def test_a_step_with_nothing_to_do_has_not_failed() -> None:
    assert not Row("setSecret", (), {}, 1.0, "nothing-to-do").failed
    assert Row("setSecret", (), {}, 1.0, "TlsFailed").failed


def test_off_a_terminal_each_line_is_printed_once_however_often_it_is_shown() -> None:
    console = Console(file=io.StringIO(), width=80)
    lines = [line(step) for step in STEPS]
    with Screen(console).following() as show:
        for seen in (timeline(BEFORE, WHOLE[:6], lines[:1]), *[timeline(BEFORE, WHOLE, lines)] * 3):
            show(seen)
    assert isinstance(console.file, io.StringIO)
    printed = [text.split()[0] for text in console.file.getvalue().splitlines()]
    assert printed == ["step", *STEPS, "RotationSucceeded"]
