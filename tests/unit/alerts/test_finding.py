"""What a finding is, whoever makes it."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekey.alerts.finding import Kind, Reason, Severity, Status, owner_of
from rekey.alerts.kinds import KINDS
from rekey.alerts.text import one_line
from tests.unit.alerts.findings import ARN, NOW, finding


def test_every_kind_has_a_wording_of_its_own() -> None:
    assert set(KINDS) == set(Kind)
    assert len({wording.title for wording in KINDS.values()}) == len(Kind)
    assert all(wording.next_steps and wording.title.isascii() for wording in KINDS.values())


def test_our_own_wording_is_not_clipped() -> None:
    for wording in KINDS.values():
        assert all(one_line(step, 250) == step for step in wording.next_steps)


def test_severities_compare_by_rank() -> None:
    assert sorted(Severity, key=lambda severity: severity.rank) == list(Severity)
    assert Severity.CRITICAL.rank > Severity.INFORMATIONAL.rank


def test_a_finding_has_the_severity_of_its_kind_unless_it_states_one() -> None:
    assert finding().severity is KINDS[Kind.ROTATION_FAILED].severity
    assert finding(raised=Severity.CRITICAL).severity is Severity.CRITICAL


@pytest.mark.parametrize("secret", ["app/db", "hunter2", f"{ARN}\nBcc: x@example.com", ""])
def test_a_secret_is_an_arn_or_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="must be an ARN"):
        finding(secret=secret)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        finding(when=dt.datetime(2026, 1, 1))  # noqa: DTZ001 - that is the mistake


@given(text=st.text(max_size=3000))
def test_every_text_becomes_one_bounded_line_without_links(text: str) -> None:
    made = finding(
        what=text, owner=text, done=(text,) * 30, next_steps=(text,) * 30,
        reasons=(Reason(text, text, text),) * 30,
    )  # fmt: skip
    reasons = [value for r in made.reasons for value in (r.what, r.baseline, r.observed)]
    texts = [made.what, made.owner or "", *made.done, *made.next_steps, *reasons]
    assert len(texts) <= 2 + 10 + 10 + 30
    for line in texts:
        assert len(line) <= 1000
        assert line.isprintable()
        assert "://" not in line


@pytest.mark.parametrize(
    ("tags", "owner"),
    [
        ({"rekey:owner": "payments", "owner": "other"}, "payments"),
        ({"Owner": "Payments", "owner": ""}, "Payments"),
        ({"team": "payments"}, None),
    ],
)
def test_the_owner_is_read_from_the_secrets_tags(tags: dict[str, str], owner: str | None) -> None:
    assert owner_of(tags) == owner


def test_a_solved_finding_asks_for_nothing_unless_its_kind_has_something_to_say() -> None:
    changes: dict[str, Any] = {"next_steps": (), "status": Status.SOLVED, "when": NOW}
    assert finding(**changes).next_steps == ("Nothing has to be done any more.",)
    alone = finding(kind=Kind.RECOVERED, **changes)
    assert alone.next_steps == KINDS[Kind.RECOVERED].next_steps
