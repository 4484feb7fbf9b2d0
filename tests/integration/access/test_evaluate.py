"""Recall and cost on a small part of what `make evaluate` measures."""

from __future__ import annotations

from tests.access.evaluate import evaluate


def test_nearly_every_attack_is_found_above_low_with_a_right_reason_and_cheaply() -> None:
    """After 20 days of history much is still new: how quiet it is, the whole measurement says."""
    result = evaluate(7, history=20, days=1)
    assert result.tried.total() == 16
    assert result.recall >= 0.9
    assert result.writes / result.events < 0.75
