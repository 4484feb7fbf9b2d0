"""Recall and cost on a small part of what `make evaluate` measures."""

from __future__ import annotations

from tests.access.attacks import ATTACKS
from tests.access.evaluate import evaluate


def test_every_kind_of_attack_is_found_above_low_with_a_right_reason_and_cheaply() -> None:
    """After 20 days of history much is still new: how quiet it is, the whole measurement says."""
    result = evaluate(7, history=20, days=1)
    missed = [attack.name for attack in ATTACKS if not result.found[attack.name]]
    assert missed == []
    assert result.writes / result.events < 0.75
