"""What a campaign takes: computed from AWS's quotas and list prices, not measured.

`python -m benchmarks.scale` prints the table of docs/scale.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

MINUTE, HOUR = 60, 3600
SIZES = (100, 10_000, 500_000)
SECRETS_PER_HOST = (10, 100)
MAX_PER_HOST = 2
HELD_SECONDS = 8
"""A slot is held from RotateSecret to the second look, after 2 and 6 seconds."""

# Quotas of an account and region (Secrets Manager User Guide, "Quotas"; all can be raised).
WRITES_PER_SECOND = 50
"""PutSecretValue and UpdateSecretVersionStage together."""

WRITES = 2
"""Of a rotation: PutSecretValue and UpdateSecretVersionStage."""

CALLS = 9 + 3 + 1 + 4
"""Calls to Secrets Manager: a rotation of alternating users, check, RotateSecret, two looks."""

INVOCATIONS = 4 + 1 + 2
SECONDS_PER_INVOCATION = 0.3
GIGABYTES = 0.25

PATH = (
    "Begin",
    "IsRefused",
    "Check",
    "CanBegin",
    "IsStopped",
    "MayBegin",
    "TakeSlot",
    "Rotate",
    "WaitForEnd",
    "Follow",
    "HowItStands",
    "WaitForEnd",
    "Follow",
    "HowItStands",
    "IsEnough",
    "Release",
    "Ended",
    "Told",
)
"""The states that a child goes through when all is well. One transition each is billed."""

# List prices of us-east-1 in dollars, arm64, without a free tier.
PER_CALL = 0.05 / 10_000
PER_TRANSITION = 25 / 1_000_000
PER_INVOCATION = 0.20 / 1_000_000
PER_GIGABYTE_SECOND = 0.0000133334


@dataclass(frozen=True)
class Row:
    """Times in seconds; costs in dollars for the whole campaign."""

    secrets: int
    per_host: int

    @property
    def quota_seconds(self) -> float:
        """How long the writes take at the quota's rate."""
        return self.secrets * WRITES / WRITES_PER_SECOND

    @property
    def host_seconds(self) -> float:
        """How long the fullest server takes, so many at once."""
        return math.ceil(min(self.per_host, self.secrets) / MAX_PER_HOST) * HELD_SECONDS

    @property
    def binding(self) -> str:
        """Which limit decides."""
        return "quota" if self.quota_seconds > self.host_seconds else "maxPerHost"

    @property
    def dollars(self) -> float:
        """What AWS bills."""
        lambda_seconds = INVOCATIONS * SECONDS_PER_INVOCATION * GIGABYTES
        each = (
            CALLS * PER_CALL
            + (len(PATH) + 1) * PER_TRANSITION
            + INVOCATIONS * PER_INVOCATION
            + lambda_seconds * PER_GIGABYTE_SECOND
        )
        return self.secrets * each

    def cells(self) -> list[str]:
        """The row of the document's table."""
        seconds = max(self.quota_seconds, self.host_seconds)
        return [
            f"{self.secrets:,}",
            str(self.per_host),
            duration(seconds),
            self.binding,
            f"{self.dollars:,.2f}",
        ]


def duration(seconds: float) -> str:
    """In the unit that people would use."""
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.1f} h"


HEADINGS = ["secrets", "on each server", "at least", "what binds", "USD"]


def table() -> Iterator[str]:
    """The lines of the table, as Markdown."""
    yield f"| {' | '.join(HEADINGS)} |"
    yield f"| {' | '.join('---' for _ in HEADINGS)} |"
    for secrets in SIZES:
        for per_host in SECRETS_PER_HOST:
            yield f"| {' | '.join(Row(secrets, per_host).cells())} |"


if __name__ == "__main__":
    print("\n".join(table()))
