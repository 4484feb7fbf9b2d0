"""Whether a promotion is followed by a retirement, by labels and tags alone."""

import pytest

from rekey.model import Label, SecretMetadata
from rekey.rotation.retirement import HOLD_TAG, When, busy, held, retirement

CURRENT, PREVIOUS, PENDING = Label.CURRENT, Label.PREVIOUS, Label.PENDING
WRITTEN = {Label.INTENT, Label.DUAL_PASSWORD}


def secret(
    *, enabled: bool = True, tags: dict[str, str] | None = None, **labels: set[Label]
) -> SecretMetadata:
    held_by = {version: frozenset(map(str, names)) for version, names in labels.items()}
    return SecretMetadata("arn", enabled, held_by, tags or {})


@pytest.mark.parametrize(
    ("v1", "v2", "when"),
    [
        ({PREVIOUS}, {CURRENT, PENDING, *WRITTEN}, When.AFTER_GRACE),
        ({PREVIOUS}, {CURRENT, *WRITTEN}, When.AFTER_GRACE),
        # Another strategy, a version that nobody of ours wrote, and one of each half.
        ({PREVIOUS}, {CURRENT, Label.INTENT, Label.SINGLE_USER}, When.NEVER),
        ({PREVIOUS}, {CURRENT}, When.NEVER),
        ({PREVIOUS}, {CURRENT, Label.INTENT}, When.NEVER),
        ({PREVIOUS}, {CURRENT, Label.DUAL_PASSWORD}, When.NEVER),
        ({PREVIOUS, *WRITTEN}, {CURRENT}, When.NEVER),
        # Something newer counts.
        ({CURRENT}, {PREVIOUS, *WRITTEN}, When.NEVER),
        # A roll back: under way, and done.
        ({PREVIOUS}, {CURRENT, Label.REJECTED, *WRITTEN}, When.NEVER),
        ({PREVIOUS, Label.REJECTED, *WRITTEN}, {CURRENT}, When.NOW),
        # Written by hand after a roll back: the version that it followed has AWSPREVIOUS.
        ({Label.REJECTED, *WRITTEN}, {CURRENT}, When.NEVER),
        ({PREVIOUS, Label.REJECTED}, {CURRENT}, When.NEVER),
    ],
)
def test_a_retirement_follows_a_promotion_by_a_rotation_and_a_roll_back(
    v1: set[Label], v2: set[Label], when: When
) -> None:
    assert retirement(secret(v1=v1, v2=v2), "v2").when is when


def test_a_version_that_does_not_exist_is_not_current() -> None:
    assert retirement(secret(v1={CURRENT, *WRITTEN}), "v9").when is When.NEVER


@pytest.mark.parametrize("value", ["", "true", "until the audit is over", "False", "no"])
def test_any_value_of_the_tag_but_false_holds(value: str) -> None:
    assert HOLD_TAG in (held(secret(tags={HOLD_TAG: value}, v1={CURRENT})) or "")


@pytest.mark.parametrize("tags", [{}, {HOLD_TAG: "false"}])
def test_without_the_tag_nothing_is_held(tags: dict[str, str]) -> None:
    assert held(secret(tags=tags, v1={CURRENT})) is None


def test_nothing_is_retired_once_rotation_is_switched_off() -> None:
    assert held(secret(enabled=False, v1={CURRENT})) is not None


def test_a_rotation_under_way_is_named_by_its_version() -> None:
    assert "v2" in (busy(secret(v1={CURRENT}, v2={PENDING})) or "")
    assert busy(secret(v1={CURRENT, PENDING})) is None
    assert busy(secret(v1={CURRENT})) is None
