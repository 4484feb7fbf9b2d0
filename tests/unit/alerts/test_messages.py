"""What people and programs get to read."""

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rekey.alerts import chat, document, mail
from rekey.alerts.finding import Finding, Kind, Reason, Severity, Status, Table
from rekey.alerts.message import message
from rekey.alerts.text import markdown, quoted
from tests.unit.alerts.findings import ARN, FINDING, finding

SNS_LIMIT = 256 * 1024


def size_at_sns(of: Finding) -> int:
    bodies = json.dumps(message(of).bodies, ensure_ascii=False)
    return len(bodies.encode())


def test_a_mail_says_what_why_what_was_done_and_what_to_do() -> None:
    body = mail.body(FINDING)
    assert body.splitlines()[0] == "Rotation failed: app/db-AbCdEf"
    for part in (
        FINDING.what, ARN, "payments", "2026-11-24 12:00:00 UTC", FINDING.incident,
        "usual:    done", "observed: DatabaseUnreachable", *FINDING.done, *FINDING.next_steps,
    ):  # fmt: skip
        assert part in body


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (Status.OPEN, "[MEDIUM] Rotation failed: app/db-AbCdEf"),
        (Status.UPDATED, "[MEDIUM] Rotation failed (update): app/db-AbCdEf"),
        (Status.SOLVED, "[MEDIUM] Rotation failed (solved): app/db-AbCdEf"),
    ],
)
def test_a_subject_says_how_it_stands(status: Status, line: str) -> None:
    assert mail.subject(finding(status=status)) == line


@given(name=st.text("abc/_+=.@-", min_size=1, max_size=500), kind=st.sampled_from(Kind))
def test_a_subject_is_one_short_line_of_ascii(name: str, kind: Kind) -> None:
    subject = mail.subject(finding(kind=kind, secret=ARN.replace("app/db", name)))
    assert len(subject) < 100
    assert subject.isascii()
    assert subject.isprintable()


def test_names_and_owners_are_nothing_to_click_on() -> None:
    """Whoever may make and delete a secret chooses its name. The ARN is there to be copied."""
    found = finding(secret=ARN.replace("app/db", "login.example.com/x"), owner="pay.example.com/y")
    body, chatted = mail.body(found).replace(found.secret or "", ""), chat.notification(found)
    people = [
        mail.subject(found),
        body,
        chatted["content"]["title"],
        chatted["metadata"]["summary"],
    ]
    assert all("login.example.com" not in text and "pay.example.com" not in text for text in people)
    assert "pay.example.com" not in chatted["content"]["description"]
    assert "login[.]example[.]com" in mail.subject(found)


def test_the_subject_of_a_long_name_is_clipped_below_a_hundred_characters() -> None:
    subject = mail.subject(finding(secret=ARN.replace("app/db", "x" * 400)))
    assert (len(subject), subject[-3:]) == (99, "...")


@given(text=st.text(st.characters(), max_size=1200))
def test_no_finding_is_too_long_for_sns(text: str) -> None:
    long = (text * 1200)[:1200] or "x"
    worst = finding(
        what=long, done=(long,) * 20, next_steps=(long,) * 20,
        reasons=(Reason(long, long, long),) * 20,
    )  # fmt: skip
    assert size_at_sns(worst) < SNS_LIMIT


def test_no_finding_of_signs_that_json_escapes_is_too_long_for_sns() -> None:
    for sign in ('"', "\\", "é", "\U0001f511"):
        long = sign * 1200
        worst = finding(
            what=long, done=(long,) * 20, next_steps=(long,) * 20,
            reasons=(Reason(long, long, long),) * 20,
            table=Table((long,) * 9, ((long,) * 9,) * 99),
        )  # fmt: skip
        assert size_at_sns(worst) < SNS_LIMIT


def test_the_chat_message_has_the_documented_members_and_one_thread_per_incident() -> None:
    note = json.loads(chat.as_json(FINDING))
    assert (note["version"], note["source"]) == ("1.0", "custom")
    assert note["content"]["textType"] == "client-markdown"
    assert note["content"]["nextSteps"] == list(FINDING.next_steps)
    assert note["metadata"]["threadId"] == FINDING.incident
    assert note["metadata"]["relatedResources"] == [ARN]
    solved = chat.notification(finding(status=Status.SOLVED))
    assert solved["metadata"]["threadId"] == note["metadata"]["threadId"]
    assert solved["id"] != note["id"]


@example(evil="h2://")
@given(evil=st.text("<>[]()!|`*_~&@#\n ahttps:/.", max_size=200))
def test_nothing_that_a_caller_chose_is_markup_in_chat(evil: str) -> None:
    note = chat.notification(
        finding(what=f"x {evil} x", reasons=(Reason(evil, evil, evil),), done=(evil,))
    )
    shown = [
        note["content"]["title"],
        note["content"]["description"],
        *note["content"]["nextSteps"],
    ]
    for text in shown:
        assert not re.search(r"[<>`*~\[\]|&]|://", text)


@pytest.mark.parametrize(
    ("evil", "shown"),
    [
        ("<!channel> <x|fix it>", "‹!channel› ‹x¦fix it›"),  # noqa: RUF001 - as it is shown
        ("[fix it](x)", "(fix it)(x)"),
        ("*bold* ~gone~ `code` _slanted_", "∗bold∗ ∼gone∼ 'code' ‗slanted‗"),  # noqa: RUF001 - as it is shown
        ("my_secret_name", "my_secret_name"),
    ],
)
def test_marks_are_replaced_by_signs_that_look_alike(evil: str, shown: str) -> None:
    assert markdown(evil) == shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("evil.example", '"evil[.]example"'),
        ("https://evil.example/x", '"https[:]//evil[.]example/x"'),
        ("jane.doe@example.com", '"jane.doe@example.com"'),
        ("secretsmanager.amazonaws.com", '"secretsmanager.amazonaws.com"'),
        ('a"\r\nBcc: b', '"a\' Bcc: b"'),
        ("abc\u202edef", '"abc def"'),
        (None, '"None"'),
    ],
)
def test_a_value_that_somebody_chose_is_quoted_and_no_link(value: object, text: str) -> None:
    assert quoted(value) == text


def test_a_table_is_aligned_in_mail_explained_in_chat_and_bounded_everywhere() -> None:
    rows = tuple((f"role-{n}", "stale", "v-1") for n in range(23))
    shown = finding(table=Table(("principal", "consumption", "version"), rows))
    mail_lines = mail.body(shown).splitlines()
    assert "  principal  consumption  version" in mail_lines
    assert "  role-1     stale        v-1" in mail_lines
    assert "  and 3 more" in mail_lines
    told = chat.notification(shown)["content"]["description"].splitlines()
    assert "• role-19 (consumption: stale; version: v-1)" in told
    assert told[-2] == "and 3 more"
    plain = document.document(shown)["table"]
    assert plain["rows"][0] == ["role-0", "stale", "v-1"]
    assert (len(plain["rows"]), plain["more"]) == (20, 3)


def test_the_plain_json_has_the_documented_keys() -> None:
    plain = json.loads(document.as_json(FINDING))
    assert plain["schema"] == "rekey.finding/1"
    assert plain["kind"] == "rotation-failed"
    assert plain["reasons"] == [
        {
            "what": "Outcome of the rotation",
            "baseline": "done",
            "observed": "DatabaseUnreachable",
        }
    ]
    assert plain["time"] == "2026-11-24T12:00:00+00:00"


def test_mail_chat_and_programs_get_bodies_of_their_own() -> None:
    made = message(FINDING)
    assert made.bodies["default"] == made.document == document.as_json(FINDING)
    assert made.bodies["email"] == mail.body(FINDING)
    assert json.loads(made.bodies["https"])["source"] == "custom"
    assert made.bodies["sms"] == made.subject
    assert made.detail_type == "Rotation failed"


def test_attributes_for_filters_leave_out_what_is_not_known() -> None:
    assert message(FINDING).attributes == {
        "kind": "rotation-failed",
        "severity": "medium",
        "secret": ARN,
        "owner": "payments",
    }
    bare = message(finding(secret=None, owner=None, raised=Severity.HIGH))
    assert bare.attributes == {"kind": "rotation-failed", "severity": "high"}
