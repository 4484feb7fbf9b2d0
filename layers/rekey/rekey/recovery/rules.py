"""The rules of recovery, in order: the first that fits decides.

docs/recovery.md shows them as a table, which a test compares with this module.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum, unique

from rekey.model import Happened, Strategy
from rekey.recovery.observation import Login, Observation


@unique
class Action(StrEnum):
    """What is done. Names are what the state machine ``recover`` branches on."""

    NOTHING = "nothing"
    CLEAR = "clear"
    ROLL_FORWARD = "rollForward"
    ROLL_BACK = "rollBack"
    RESTORE = "restore"
    WAIT = "wait"
    ESCALATE = "escalate"


@dataclass(frozen=True)
class Rule:
    """``found`` is a sentence for a person, ``advice`` what the person is to do, if anything."""

    found: str
    action: Action
    fits: Callable[[Observation], bool]
    advice: str = ""


ALERT_ONLY = frozenset({Happened.CREATE_FAILED, Happened.TEST_ROTATION_FAILED})
"""Failures that can have changed nothing on the server."""

SET_HAS_ENDED = frozenset({Happened.TEST_FAILED, Happened.FINISH_FAILED})
"""Failures of a step that comes after setSecret."""

UNSERVED = frozenset({Login.REFUSED, Login.UNUSABLE, Login.UNTRIED})
KNOWN_BAD = frozenset({Login.REFUSED, Login.UNUSABLE})
RESTORABLE = frozenset({Login.REFUSED, Login.UNTRIED})

LOOK_AT_FUNCTION = "Look into the log of that function. Rekey touches none but its own secrets."
LOOK_AT_LOG = "The log of the rotation function names the cause. Remove it, then rotate again."
CHECK_SERVER = "See that the server runs and the function reaches it; then start recover again."
CHECK_RIGHTS = (
    "Give the user its rights back, or rotate again, which repairs a clone of alternating users."
)
MEND = "Mend what the error says (docs/troubleshooting.md), then start recover again."
PERSON = (
    "If the user exists, store the password that the server takes as AWSCURRENT, or start recover "
    'with "action": "restore" to have the superuser set the password that AWSCURRENT holds. If '
    "the user was dropped, create it again first."
)


def _current(*logins: Login) -> Callable[[Observation], bool]:
    return lambda seen: seen.current.login in logins


def _waits(login: Login, seen: Observation) -> bool:
    return login is Login.UNREACHABLE and not seen.last_look


def _unserved(seen: Observation) -> bool:
    return seen.current.login in UNSERVED


RULES = (
    Rule(
        "No rotation function is set for the secret.",
        Action.ESCALATE,
        lambda seen: seen.function is None,
        "Name one of Rekey's functions in RotateSecret.",
    ),
    Rule(
        "The secret is rotated by a function that is not Rekey's.",
        Action.ESCALATE,
        lambda seen: not seen.ours,
        LOOK_AT_FUNCTION,
    ),
    Rule(
        "The secret is halted (tag rekey:halted), and waits for a person.",
        Action.NOTHING,
        lambda seen: seen.halted and seen.happened is not Happened.BY_HAND,
    ),
    Rule(
        "Another rotation has begun since: it has its own end.",
        Action.NOTHING,
        lambda seen: seen.superseded,
    ),
    Rule(
        "The step that failed changes nothing on the server.",
        Action.ESCALATE,
        lambda seen: seen.happened in ALERT_ONLY,
        LOOK_AT_LOG,
    ),
    Rule(
        "AWSCURRENT gets no answer from the server.",
        Action.WAIT,
        lambda seen: _waits(seen.current.login, seen),
    ),
    Rule(
        "AWSCURRENT still gets no answer from the server.",
        Action.ESCALATE,
        _current(Login.UNREACHABLE),
        CHECK_SERVER,
    ),
    Rule(
        "AWSCURRENT logs in, and whether the other user has all its rights yet is not certain.",
        Action.CLEAR,
        lambda seen: (
            seen.current.login is Login.WORKS
            and seen.labelled
            and seen.pending.login is Login.WORKS
            and seen.strategy is Strategy.ALTERNATING_USERS
            and seen.happened not in SET_HAS_ENDED
        ),
    ),
    Rule(
        "AWSCURRENT and AWSPENDING log in with their rights: the rotation can be finished.",
        Action.ROLL_FORWARD,
        lambda seen: (
            seen.current.login is Login.WORKS
            and seen.labelled
            and seen.pending.login is Login.WORKS
        ),
    ),
    Rule(
        "AWSCURRENT logs in, and AWSPENDING gets no answer from the server.",
        Action.WAIT,
        lambda seen: (
            seen.current.login is Login.WORKS and seen.labelled and _waits(seen.pending.login, seen)
        ),
    ),
    Rule(
        "AWSCURRENT logs in, and AWSPENDING stands on a version that does not.",
        Action.CLEAR,
        lambda seen: seen.current.login is Login.WORKS and seen.labelled,
    ),
    Rule(
        "AWSCURRENT logs in, and no rotation is pending.",
        Action.NOTHING,
        _current(Login.WORKS),
    ),
    Rule(
        "The pending version logs in with its rights, and AWSCURRENT does not.",
        Action.ROLL_FORWARD,
        lambda seen: seen.pending.login is Login.WORKS,
    ),
    Rule(
        "AWSCURRENT does not serve, and the pending version gets no answer from the server.",
        Action.WAIT,
        lambda seen: _waits(seen.pending.login, seen),
    ),
    Rule(
        "AWSCURRENT logs in without its rights, and no pending version has them.",
        Action.ESCALATE,
        _current(Login.LACKS_RIGHTS),
        CHECK_RIGHTS,
    ),
    Rule(
        "AWSCURRENT and the pending version do not serve, and AWSPREVIOUS logs in with its rights.",
        Action.ROLL_BACK,
        lambda seen: seen.current.login in KNOWN_BAD and seen.previous.login is Login.WORKS,
    ),
    Rule(
        "Neither AWSCURRENT nor the pending version serves, and AWSPREVIOUS gets no answer.",
        Action.WAIT,
        lambda seen: _waits(seen.previous.login, seen),
    ),
    Rule(
        "No version serves, and the superuser's secret allows to restore this user's password.",
        Action.RESTORE,
        lambda seen: (
            seen.current.login in RESTORABLE
            and seen.may_restore
            and seen.superuser.login is Login.WORKS
        ),
    ),
    Rule(
        "No version serves, and the superuser, who may restore it, gets no answer.",
        Action.WAIT,
        lambda seen: (
            seen.current.login in RESTORABLE
            and seen.may_restore
            and _waits(seen.superuser.login, seen)
        ),
    ),
    Rule(
        "The server has refused this rotation twice, and a third time might lock the user.",
        Action.ESCALATE,
        _current(Login.UNTRIED),
        PERSON,
    ),
    Rule(
        "The server refuses AWSCURRENT, and no other version serves.",
        Action.ESCALATE,
        _current(Login.REFUSED),
        PERSON,
    ),
    Rule(
        "AWSCURRENT cannot be used, and no other version serves.",
        Action.ESCALATE,
        _unserved,
        MEND,
    ),
    Rule(
        "There is no AWSCURRENT.",
        Action.ESCALATE,
        lambda _: True,
        "Store a value, or move AWSCURRENT to a version that logs in.",
    ),
)
