"""From an observation to what is done, why, and what a person has to do."""

from dataclasses import dataclass
from enum import StrEnum, unique

from rekey.model import Happened
from rekey.recovery.observation import Login, Observation
from rekey.recovery.rules import ALERT_ONLY, RULES, Action, Rule

NOTHING_IN_THE_WAY = frozenset({Login.WORKS, Login.UNTRIED, Login.ABSENT})
STEP_FAILED = frozenset({Happened.SET_FAILED, Happened.TEST_FAILED, Happened.FINISH_FAILED})
FOLLOWED_BY_NOTHING = ALERT_ONLY | {Happened.BY_HAND}
SAID_BY_LOGINS = frozenset({Login.UNTRIED, Login.ABSENT})


@unique
class Afterwards(StrEnum):
    """What follows once AWSCURRENT has been verified."""

    NOTHING = "nothing"
    ROTATE_AGAIN = "rotateAgain"
    HALT = "halt"


@dataclass(frozen=True)
class Decision:
    """What is done, why, what a person has to do (may be empty), and what follows."""

    action: Action
    reason: str
    advice: str
    afterwards: Afterwards


def decide(seen: Observation) -> Decision:
    """Return what the first fitting rule says. Total: the last rule fits everything."""
    rule = next(rule for rule in RULES if rule.fits(seen))
    return Decision(rule.action, _reason(rule, seen), rule.advice, _afterwards(rule.action, seen))


def _reason(rule: Rule, seen: Observation) -> str:
    if not seen.ours:
        return f"{rule.found} ({seen.function})" if seen.function else rule.found
    told = [
        attempt.told(what)
        for what, attempt in seen.attempts().items()
        if attempt.login not in SAID_BY_LOGINS
    ]
    return " ".join([rule.found, *told])


def _afterwards(action: Action, seen: Observation) -> Afterwards:
    """Rotate again where the cause seems to have passed; stop where that has been done enough.

    A person's own request is never followed by anything, nor is what only tells.
    """
    if action is Action.WAIT or seen.happened in FOLLOWED_BY_NOTHING or _is_none_of_ours(seen):
        return Afterwards.NOTHING
    if (seen.ended or seen.repeated) and action is Action.NOTHING:
        return Afterwards.NOTHING
    if seen.failures > seen.retries:
        return Afterwards.HALT
    passed = seen.current.login is Login.WORKS and seen.superuser.login in NOTHING_IN_THE_WAY
    mended = action in (Action.CLEAR, Action.NOTHING) and seen.happened in STEP_FAILED and passed
    return Afterwards.ROTATE_AGAIN if mended and not seen.repeated else Afterwards.NOTHING


def _is_none_of_ours(seen: Observation) -> bool:
    return seen.halted or seen.superseded or not seen.ours
