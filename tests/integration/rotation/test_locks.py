"""What is done about two passwords, in which order, and for which accounts."""

from typing import cast

import pytest

from rekey import errors
from rekey.model import Step
from rekey.ports import OnePassword
from tests.database import new_password
from tests.integration.rotation.two_passwords import STRATEGY_TAG, DualWorld, Noted, NotedWorld

OTHERS = ["single-user", "alternating-users"]


def notes(noted: DualWorld) -> list[str]:
    return cast("NotedWorld", noted.world).notes


def under_the_lock(noted: DualWorld, what: str) -> list[str]:
    return [f"alone with {noted.user}", what, "no longer alone"]


@pytest.mark.parametrize("every", [False, True])
def test_a_change_is_made_under_the_user_s_lock(noted: DualWorld, every: bool) -> None:
    if every:
        noted.tags["rekey:hosts"] = "all"
    noted.world.rotate()
    assert notes(noted) == under_the_lock(noted, f"set {every}")


@pytest.mark.parametrize("every", [False, True])
def test_a_retirement_is_made_under_the_user_s_lock_for_the_accounts_of_the_change(
    noted: DualWorld, every: bool
) -> None:
    if every:
        noted.tags["rekey:hosts"] = "all"
    noted.world.rotate()
    noted.tags.pop("rekey:hosts", None)
    notes(noted).clear()
    noted.retire()
    assert notes(noted) == under_the_lock(noted, f"retire {every}")


@pytest.mark.parametrize("strategy", OTHERS)
@pytest.mark.parametrize("every", [False, True])
def test_a_change_of_strategy_retires_under_the_user_s_lock(
    noted: DualWorld, every: bool, strategy: str
) -> None:
    noted.world.rotate()
    noted.tags[STRATEGY_TAG] = strategy
    if every:
        noted.tags["rekey:hosts"] = "all"
    notes(noted).clear()
    noted.world.rotate()
    assert notes(noted) == under_the_lock(noted, f"retire {every}")


@pytest.mark.parametrize("every", [False, True])
def test_a_test_rotation_asks_whether_the_user_can_have_two_passwords(
    noted: DualWorld, every: bool
) -> None:
    if every:
        noted.tags["rekey:hosts"] = "all"
    noted.world.step(Step.TEST, noted.world.start())
    assert notes(noted) == [f"check {every}"]


@pytest.mark.parametrize("strategy", OTHERS)
def test_a_test_rotation_asks_so_for_no_other_strategy(noted: DualWorld, strategy: str) -> None:
    noted.tags[STRATEGY_TAG] = strategy
    noted.world.step(Step.TEST, noted.world.start())
    assert notes(noted) == []


def test_a_retirement_after_which_current_is_refused_is_not_told_as_one(
    noted: DualWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted.world.rotate()
    retire = Noted.retire
    wrong = OnePassword(noted.user, new_password())
    monkeypatch.setattr(Noted, "retire", lambda connection, _: retire(connection, wrong))
    with pytest.raises(errors.CredentialsRejected):
        noted.retire()


@pytest.mark.parametrize("strategy", OTHERS)
def test_a_superuser_that_may_not_retire_stops_a_change_of_strategy(
    noted: DualWorld, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = noted.world.rotate()
    noted.tags[STRATEGY_TAG] = strategy
    token = noted.world.start()
    noted.run(token, Step.CREATE)

    def refused(*_: object) -> None:
        raise errors.MissingPrivilege("Grant CREATE USER to the superuser.")

    monkeypatch.setattr(Noted, "retire", refused)
    with pytest.raises(errors.MissingPrivilege):
        noted.run(token, Step.SET)
    assert noted.alive("v1", current, token) == [True, True, False]
