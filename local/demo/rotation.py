"""Calls RotateSecret and follows what comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from local.demo.application import Application
from local.demo.claims import Claim
from local.demo.screen import Screen
from local.demo.stage import Document
from local.demo.timeline import CURRENT, STEPS, Labels, Timeline, timeline

PATIENCE = 60.0
INTERVAL = 0.04


class RotationLostError(Exception):
    """Neither success nor failure was recorded in time."""


@dataclass(frozen=True)
class Rotated:
    """A rotation that is over; `labels` are DescribeSecret's, `answer` is RotateSecret's."""

    timeline: Timeline
    labels: Labels
    answer: str
    seconds: float

    @property
    def succeeded(self) -> bool:
        return self.timeline.end == "RotationSucceeded"


class Watch:
    """Looks at one rotation from now on."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._stage = application.stage
        self._labels = application.labels()
        self._first_record = self._stage.next_record()
        self._lines_before = len(self._lines())

    def look(self) -> Timeline:
        """Lines before records: so the calls of each step that has reported are all there."""
        lines = self._lines()[self._lines_before :]
        return timeline(self._labels, self._stage.records(self._first_record), lines)

    def _lines(self) -> list[Document]:
        """Of the steps that Secrets Manager asks for; workflows ask for others."""
        lines = self._stage.steps_logged(
            self._application.function_arn, self._application.secret_arn
        )
        return [line for line in lines if line["step"] in STEPS]


def rotate(
    application: Application, screen: Screen, beside: Callable[[], str] | None = None
) -> Rotated:
    """One rotation, shown while it happens, until the service is done with it.

    `beside` says what else happens meanwhile, for a line that changes below it.
    """
    watch = Watch(application)
    started = time.monotonic()
    answer = _ask(application)
    screen.say(f"RotateSecret: {answer}")
    with screen.following(beside) as show:
        while not (seen := watch.look()).is_complete or application.stage.is_rotating():
            show(seen)
            if time.monotonic() - started > PATIENCE:
                raise RotationLostError(
                    f"no end within {PATIENCE:.0f} s; RotateSecret said: {answer}"
                )
            time.sleep(INTERVAL)
        show(seen)
    return Rotated(seen, application.labels(), answer, time.monotonic() - started)


def _ask(application: Application) -> str:
    """The new version's id, or what the service says instead."""
    try:
        return f"version {application.rotate()}"
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"


def ended(rotations: Sequence[Rotated], what: str) -> Claim:
    """The timeline derives labels from records; DescribeSecret must say the same."""
    agree = all(turn.timeline.labels == turn.labels for turn in rotations)
    ends = ", ".join(str(turn.timeline.end) for turn in rotations)
    return Claim(
        what,
        f"{ends}; DescribeSecret {'agrees with' if agree else 'differs from'} the records",
        holds=agree and all(turn.succeeded for turn in rotations),
    )


def say_end(screen: Screen, app: Application, rotated: Rotated) -> None:
    current = rotated.labels.get(CURRENT, "")[:8]
    screen.say(
        f"{rotated.timeline.calls} calls, {rotated.seconds:.1f} s."
        f" AWSCURRENT is {current}, user {app.login().username}."
    )
