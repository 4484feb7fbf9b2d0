"""Many secrets rotated at once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median

from benchmarks.application import ENDS, Application
from benchmarks.stage import Stage, wait_for
from rekey.model import Strategy


@dataclass(frozen=True)
class Crowd:
    """Seconds: of all together, and of one from RotateSecret to its end."""

    secrets: int
    wall: float
    middle: float
    longest: float
    failures: int


def rotate_at_once(stage: Stage, number: int) -> Crowd:
    applications = [
        Application(stage, Strategy.ALTERNATING_USERS, stage.function_arn) for _ in range(number)
    ]
    since, started = stage.next_record(), time.monotonic()
    asked: dict[str, float] = {}
    for application in applications:
        asked[application.arn] = time.monotonic()
        application.ask()
    ended: dict[str, tuple[float, str]] = {}
    position = since

    def all_ended() -> bool | None:
        nonlocal position
        page = stage.account.control(f"records?after={position}")
        position = page["next"]
        for record in page["records"]:
            if record["eventName"] in ENDS:
                ended[_secret(record, asked)] = (time.monotonic(), record["eventName"])
        return True if len(ended) == number else None

    wait_for(all_ended, f"{number} rotations", 0.05)
    taken = [at - asked[arn] for arn, (at, _) in ended.items()]
    failed = sum(name != "RotationSucceeded" for _, name in ended.values())
    return Crowd(number, time.monotonic() - started, median(taken), max(taken), failed)


def _secret(record: dict[str, object], arns: dict[str, float]) -> str:
    text = str(record)
    return next(arn for arn in arns if arn in text)
