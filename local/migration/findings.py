"""One thing that was found about a secret, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum, unique

from rekey.errors import RekeyError


@unique
class Severity(StrEnum):
    """``STOPS``: the first rotation would fail, or nobody can tell. ``NOTE``: it would not."""

    STOPS = "stops"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """``todo`` is a sentence, or commands a line each."""

    severity: Severity
    text: str
    todo: str | None = None


def stop(text: str, todo: str | None = None) -> Finding:
    return Finding(Severity.STOPS, text, todo)


def note(text: str, todo: str | None = None) -> Finding:
    return Finding(Severity.NOTE, text, todo)


def failure(what: str, error: RekeyError, todo: str | None = None) -> Finding:
    """What a rotation would end with, by the class that its log would name."""
    return stop(f"{what}{type(error).__name__}: {error}", todo)
