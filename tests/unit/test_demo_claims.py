"""A claim holds only if what was seen supports it."""

import pytest

from local.demo import claims
from local.demo.claims import Claim
from local.demo.timeline import Row

TRUE, FALSE = Claim("a", "seen", holds=True), Claim("b", "not seen", holds=False)
UNREACHABLE = Row("setSecret", (), {}, 1.0, "DatabaseUnreachable", "refused")


@pytest.mark.parametrize(
    ("found", "status"), [([TRUE], 0), ([TRUE, FALSE], 1), ([FALSE, TRUE], 1), ([], 1)]
)
def test_one_claim_that_does_not_hold_is_a_failure_and_so_is_none_at_all(
    found: list[Claim], status: int
) -> None:
    assert claims.exit_status(found) == status


def test_one_refused_login_is_too_many_and_none_tried_shows_nothing() -> None:
    assert claims.nobody_refused(40, []).holds
    refused = claims.nobody_refused(40, ["28P01"])
    assert not refused.holds
    assert "1 refused, first with: 28P01" in refused.evidence
    assert not claims.nobody_refused(0, []).holds


def test_names_alternate_only_if_each_rotation_changes_the_name() -> None:
    assert claims.names_alternate(["app", "app_clone", "app"], "app").holds
    assert not claims.names_alternate(["app", "app", "app"], "app").holds


@pytest.mark.parametrize(
    ("counted", "holds"),
    [
        ({"single-user": [8], "alternating-users": [9, 9]}, True),
        ({"single-user": [8], "alternating-users": [9, 10]}, False),
        ({"single-user": [7], "alternating-users": [9]}, False),
        ({"single-user": [8], "alternating-users": []}, False),
        ({"single-user": [8]}, False),
    ],
)
def test_every_rotation_makes_as_many_calls_as_promised(
    counted: dict[str, list[int]], holds: bool
) -> None:
    promised = {"single-user": 8, "alternating-users": 9}
    assert claims.as_few_calls(counted, promised).holds is holds


def test_a_failure_must_have_the_expected_name() -> None:
    expected = "DatabaseUnreachable"
    assert claims.failure_is_named("RotationFailed", UNREACHABLE, expected).holds
    assert not claims.failure_is_named("RotationSucceeded", UNREACHABLE, expected).holds
    assert not claims.failure_is_named("RotationFailed", UNREACHABLE, "TlsFailed").holds
    assert not claims.failure_is_named("RotationFailed", None, expected).holds


def test_a_password_found_anywhere_is_a_leak() -> None:
    places = {"one": "rekey", "another": "rekey s3cret rekey s3cret"}
    assert claims.no_password_in(places, {"other"}, known="rekey").holds
    leak = claims.no_password_in(places, {"other", "s3cret"}, known="rekey")
    assert not leak.holds
    assert leak.evidence == "2 times in another"


def test_a_place_that_holds_nothing_known_was_not_searched() -> None:
    assert not claims.no_password_in({"one": ""}, {"s3cret"}, known="rekey").holds
    assert not claims.no_password_in({"one": "rekey"}, set(), known="rekey").holds
