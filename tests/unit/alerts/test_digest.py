"""The weekly digest lists what stands, the urgent first, and never more than a message holds."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from rekey.access.suppression import hidden_key
from rekey.alerts.blindness import of_trails
from rekey.alerts.digest import Digest, is_new_week
from rekey.alerts.document import document
from rekey.alerts.finding import Finding
from rekey.alerts.message import message
from rekey.known import FULL, Item
from rekey.watched import Trail
from tests.unit.alerts.findings import ARN, NOW

AT, DAY = int(NOW.timestamp()), 86_400
PLACE = "111122223333/eu-west-1"


def meant(name: str, days: float, **more: Any) -> dict[str, Any]:
    made = {
        "name": name,
        "owner": "ann",
        "reason": "migration of CI",
        "expires": int(AT + days * DAY),
        "principal": "arn:aws:iam::111122223333:role/ci-*",
        "kinds": ["new-reader"],
    }
    return {**made, **more}


def digest(
    *suppressions: dict[str, Any],
    halted: tuple[str, ...] = (),
    hidden: tuple[Item, ...] = (),
    blind: bool = False,
) -> Finding | None:
    made = Digest(
        lambda: suppressions,
        lambda keys: {item.key: item for item in hidden if item.key in set(keys)},
        lambda: halted,
    )
    trails = () if blind else (Trail("all", logging=True, selectors=({},)),)
    return made(of_trails(trails, PLACE, NOW), PLACE, NOW)


def reasons(found: Finding | None) -> list[tuple[str, str, str]]:
    assert found is not None
    return [(one.what, one.baseline, one.observed) for one in found.reasons]


def test_nothing_to_list_is_not_told() -> None:
    assert digest() is None
    assert digest(meant("long-over", -8)) is None
    assert digest({"name": "says-nothing"}) is None


def test_a_suppression_stands_there_with_owner_reason_end_and_what_it_hid() -> None:
    seen = Item(hidden_key("ci"), maxima={"last": AT - DAY}, sets={"marks": frozenset({"a", "b"})})
    (reason,) = reasons(digest(meant("ci", 3), hidden=(seen,)))
    assert reason == (
        'Suppression "ci" of "ann", until 2026-11-27: "migration of CI"',
        'new-reader of "arn:aws:iam::111122223333:role/ci-*" is told',
        "not told: 2, the last on 2026-11-23",
    )


def test_one_that_ended_this_week_is_listed_once_more() -> None:
    found = digest(meant("over", -6), meant("ci", 3))
    assert found is not None
    assert "in force: 1, ended within a week: 1" in found.what
    assert [what.split(", ")[1][:5] for what, *_ in reasons(found)] == ["ended", "until"]
    assert reasons(found)[0][2] == "not told: nothing came"


def test_a_full_count_says_so() -> None:
    sets = {"marks": frozenset(map(str, range(64))), "flags": frozenset({FULL})}
    seen = Item(hidden_key("ci"), maxima={"last": AT}, sets=sets)
    assert "64 or more" in reasons(digest(meant("ci", 3), hidden=(seen,)))[0][2]


def test_halted_secrets_and_blindness_come_first() -> None:
    found = digest(meant("ci", 3), halted=(ARN,) * 5, blind=True)
    first, second, third = reasons(found)
    assert first[0] == "Secrets that wait for a person"
    assert first[2].endswith('and 2 more"')
    assert second[2] == "no-trail"
    assert third[0].startswith("Suppression")


@pytest.mark.parametrize(("number", "listed"), [(8, 8), (9, 8), (200, 8)])
def test_many_suppressions_end_in_one_line_that_says_where_the_rest_is(
    number: int, listed: int
) -> None:
    many = (meant(f"s{n:03}", n + 1, reason="x" * 500, owner="y" * 500) for n in range(number))
    found = digest(*many, halted=(ARN,), blind=True)
    last = reasons(found)[-1]
    assert len(reasons(found)) == 2 + listed
    more = number - listed + 1
    assert last[0] == (f"{more} more suppressions" if number > listed else last[0])
    assert (last[2] == 'make suppressions OPTIONS="list"') == (number > listed)


def test_what_somebody_wrote_cannot_put_a_link_into_the_message() -> None:
    found = digest(meant("ci", 3, reason="see https://evil.example.com", owner="*bold*"))
    assert found is not None
    assert "evil.example.com" not in str(document(found))
    assert "https://" not in str(message(found).bodies)


@pytest.mark.parametrize(
    ("last", "now", "new"),
    [
        ("2026-11-27", "2026-11-28", False),
        ("2026-11-29", "2026-11-30", True),
        ("2026-12-31", "2027-01-01", False),
        ("2025-11-27", "2026-11-27", True),
    ],
)
def test_a_week_begins_on_monday(last: str, now: str, *, new: bool) -> None:
    def moment(day: str) -> dt.datetime:
        return dt.datetime.fromisoformat(f"{day}T00:00:00+00:00")

    assert is_new_week(moment(last), moment(now)) is new
