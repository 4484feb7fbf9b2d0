"""The numbers that a finding depends on, each with its unit; docs/detection.md says why."""

from dataclasses import dataclass

from rekey.known import DAY, HOUR


@dataclass(frozen=True)
class Thresholds:
    """Times are in seconds. Parameters of the stack set some of them."""

    learning: int = 14 * DAY
    grace: int = HOUR + 300
    burst: int = 20
    burst_of_past: float = 2.0
    spread: int = 4
    probing: int = 5
    batches: int = 5
    regions: int = 3
    listed_then_new: int = 2
    young_role: int = DAY
    silence: int = 30 * DAY
    window: int = 300
    refresh: int = 6 * HOUR
    quiet: int = 2 * DAY
    keep_readers: int = 120 * DAY
    keep_windows: int = 3 * DAY
    keep_incidents: int = 30 * DAY
