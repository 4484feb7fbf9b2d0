"""How often and how fast the service repeats a rotation that failed.

AWS does not publish the numbers, so they are settings of this account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """`delays` are the seconds between attempts; the last one repeats."""

    attempts: int
    delays: tuple[float, ...]

    def delay_after(self, attempt: int) -> float:
        """Seconds to wait after this attempt, counted from 1."""
        return self.delays[min(attempt, len(self.delays)) - 1]


_in_force = [Policy(attempts=5, delays=(1.0, 2.0, 4.0, 8.0))]


def policy() -> Policy:
    return _in_force[0]


def set_policy(attempts: int, delays: Sequence[float]) -> None:
    """For rotations that start, and attempts that end, after this."""
    _in_force[0] = Policy(attempts, tuple(delays))
