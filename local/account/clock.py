"""The account's clock: schedules and the dates of secrets follow it, and tests move it on."""

from __future__ import annotations

import threading
import time


class Clock:
    """The machine's clock, and how far it was moved on."""

    def __init__(self) -> None:
        self.offset = 0.0
        self._moved = threading.Condition()

    def now(self) -> float:
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("the clock only moves on")
        with self._moved:
            self.offset += seconds
            self._moved.notify_all()

    def reset(self) -> None:
        """Be the machine's clock again, for whoever compares times with it."""
        with self._moved:
            self.offset = 0.0
            self._moved.notify_all()

    def wait_for_move(self, seconds: float) -> None:
        with self._moved:
            self._moved.wait(seconds)


_clock = Clock()


def now() -> float:
    """Epoch seconds, moved on by what `advance` was given so far."""
    return _clock.now()


def offset() -> float:
    """Seconds that the clock is ahead of the machine's."""
    return _clock.offset


def advance(seconds: float) -> None:
    """Move on; who waits in `wait_for_move` wakes up. Raises ValueError for a move back."""
    _clock.advance(seconds)


def wait_for_move(seconds: float) -> None:
    """Sleep that long, or until somebody moves the clock."""
    _clock.wait_for_move(seconds)


def reset() -> None:
    """Forget what `advance` was given."""
    _clock.reset()
