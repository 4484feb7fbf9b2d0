"""The decision over everything that can be observed: each combination, against what must hold."""

import itertools
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from rekey import errors
from rekey.model import Happened, Strategy
from rekey.recovery import Action, Afterwards, Attempt, Login, Observation, decide
from rekey.recovery.observation import UNTRIED
from rekey.recovery.rules import ALERT_ONLY, RULES
from tests.documents import document, rows, section

ATTEMPTS = {login: Attempt(login) for login in Login}
CHANGES_THE_SERVER = {Action.ROLL_BACK, Action.RESTORE}
MOVES = {Action.ROLL_FORWARD, Action.ROLL_BACK, Action.RESTORE}
BOTH = (False, True)
STRATEGIES = (Strategy.SINGLE_USER, Strategy.ALTERNATING_USERS)
"""The decision tells only alternating users from the others."""


def observations() -> Iterator[Observation]:
    """The whole product of what a function of ours can observe."""
    for logins in itertools.product(Login, repeat=4):
        current, pending, previous, superuser = (ATTEMPTS[login] for login in logins)
        for happened in Happened:
            for labelled, halted, may_restore, last in itertools.product(BOTH, repeat=4):
                for strategy in STRATEGIES if labelled else STRATEGIES[:1]:
                    yield Observation(
                        happened,
                        current,
                        pending,
                        previous,
                        superuser,
                        labelled,
                        halted=halted,
                        may_restore=may_restore,
                        last_look=last,
                        strategy=strategy,
                    )


def first_rule(seen: Observation) -> int:
    return next(number for number, rule in enumerate(RULES) if rule.fits(seen))


def serves(seen: Observation) -> bool:
    return seen.current.login in (Login.WORKS, Login.LACKS_RIGHTS)


NEVER: dict[str, Callable[[Observation, Action], bool]] = {
    "a halted secret is touched": lambda seen, action: (
        seen.halted and seen.happened is not Happened.BY_HAND and action is not Action.NOTHING
    ),
    "a failure that only alerts changes something": lambda seen, action: (
        seen.happened in ALERT_ONLY and action not in (Action.ESCALATE, Action.NOTHING)
    ),
    "rolled forward to what does not log in": lambda seen, action: (
        action is Action.ROLL_FORWARD and seen.pending.login is not Login.WORKS
    ),
    "rolled back to what does not log in": lambda seen, action: (
        action is Action.ROLL_BACK and seen.previous.login is not Login.WORKS
    ),
    "touched while AWSCURRENT logs in and AWSPENDING does not": lambda seen, action: (
        action in MOVES and serves(seen) and seen.pending.login is not Login.WORKS
    ),
    "AWSCURRENT is replaced though it logs in": lambda seen, action: (
        action in CHANGES_THE_SERVER and serves(seen)
    ),
    "acts on a server that does not answer": lambda seen, action: (
        action in MOVES and seen.current.login is Login.UNREACHABLE
    ),
    "restored without leave": lambda seen, action: (
        action is Action.RESTORE and not (seen.may_restore and seen.superuser.login is Login.WORKS)
    ),
    "cleared while it may be needed": lambda seen, action: (
        action is Action.CLEAR and not (seen.labelled and seen.current.login is Login.WORKS)
    ),
    "waits for ever": lambda seen, action: action is Action.WAIT and seen.last_look,
    "waits though the server answers": lambda seen, action: (
        action is Action.WAIT
        and all(tried.login is not Login.UNREACHABLE for tried in seen.attempts().values())
    ),
    "a version that logs in is not used": lambda seen, action: (
        not seen.halted
        and seen.happened not in ALERT_ONLY
        and seen.current.login is Login.REFUSED
        and seen.pending.login is Login.WORKS
        and action is not Action.ROLL_FORWARD
    ),
}


@cache
def decided() -> tuple[dict[str, Observation], set[int]]:
    """For each thing that must never be decided an example of it; and the rules that decided."""
    found: dict[str, Observation] = {}
    used = set[int]()
    for seen in observations():
        number = first_rule(seen)
        used.add(number)
        action = RULES[number].action
        found |= {fault: seen for fault, is_so in NEVER.items() if is_so(seen, action)}
    return found, used


def test_nothing_that_can_be_observed_leads_to_what_must_never_be_done() -> None:
    assert decided()[0] == {}


def test_every_rule_decides_something_and_none_is_missing() -> None:
    foreign = {
        first_rule(
            Observation(Happened.SET_FAILED, ATTEMPTS[Login.WORKS], function=name, ours=ours)
        )
        for name, ours in ((None, False), ("somebody's", False))
    }
    superseded = first_rule(Observation(Happened.SET_FAILED, UNTRIED, superseded=True))
    assert decided()[1] | foreign | {superseded} == set(range(len(RULES)))


@pytest.mark.parametrize("labelled", BOTH)
def test_a_rotation_that_began_later_is_left_alone(labelled: bool) -> None:
    for logins in itertools.product(Login, repeat=4):
        current, pending, previous, superuser = (ATTEMPTS[login] for login in logins)
        decision = decide(
            Observation(
                Happened.TEST_FAILED,
                current,
                pending,
                previous,
                superuser,
                labelled,
                superseded=True,
                failures=9,
            )
        )
        assert decision.action is Action.NOTHING
        assert decision.afterwards is Afterwards.NOTHING


@pytest.mark.parametrize("function", [None, "arn:aws:lambda:eu-west-1:111122223333:function:own"])
@pytest.mark.parametrize("halted", BOTH)
@pytest.mark.parametrize("happened", Happened)
def test_a_secret_that_is_not_ours_is_never_touched_and_its_function_is_named(
    function: str | None, halted: bool, happened: Happened
) -> None:
    for current, pending in itertools.product(Login, repeat=2):
        decision = decide(
            Observation(
                happened,
                ATTEMPTS[current],
                ATTEMPTS[pending],
                labelled=True,
                halted=halted,
                may_restore=True,
                function=function,
                ours=False,
                failures=9,
            )
        )
        assert decision.action is Action.ESCALATE
        assert decision.afterwards is Afterwards.NOTHING
        assert function is None or function in decision.reason


def seen(
    current: Login = Login.WORKS,
    *,
    happened: Happened = Happened.SET_FAILED,
    pending: Login = Login.REFUSED,
    superuser: Login = Login.UNTRIED,
    ended: bool = False,
    repeated: bool = False,
    failures: int = 1,
) -> Observation:
    return Observation(
        happened,
        ATTEMPTS[current],
        ATTEMPTS[pending],
        superuser=ATTEMPTS[superuser],
        labelled=pending is not Login.ABSENT,
        ended=ended,
        repeated=repeated,
        failures=failures,
    )


@pytest.mark.parametrize(
    ("observed", "afterwards"),
    [
        (seen(), Afterwards.ROTATE_AGAIN),
        (seen(superuser=Login.WORKS), Afterwards.ROTATE_AGAIN),
        # The cause has not passed, or nobody failed, or a person asked.
        (seen(superuser=Login.REFUSED), Afterwards.NOTHING),
        (seen(Login.REFUSED), Afterwards.NOTHING),
        (seen(happened=Happened.ABANDONED), Afterwards.NOTHING),
        (seen(happened=Happened.BY_HAND, failures=9), Afterwards.NOTHING),
        # It has ended since, whatever the events say.
        (seen(pending=Login.ABSENT, ended=True), Afterwards.NOTHING),
        (seen(pending=Login.ABSENT, ended=True, failures=9), Afterwards.NOTHING),
        # The same rotation has failed before, and another one was promised then.
        (seen(repeated=True), Afterwards.NOTHING),
        (seen(pending=Login.ABSENT, repeated=True), Afterwards.NOTHING),
        (seen(pending=Login.ABSENT, repeated=True, failures=9), Afterwards.NOTHING),
        (seen(repeated=True, failures=2), Afterwards.HALT),
        # It is only told.
        (seen(happened=Happened.CREATE_FAILED), Afterwards.NOTHING),
        (seen(happened=Happened.CREATE_FAILED, failures=2), Afterwards.NOTHING),
        (seen(happened=Happened.TEST_ROTATION_FAILED, failures=2), Afterwards.NOTHING),
        # Once too often.
        (seen(failures=2), Afterwards.HALT),
        (seen(Login.REFUSED, failures=2), Afterwards.HALT),
        (seen(Login.UNREACHABLE, failures=2), Afterwards.NOTHING),
    ],
)
def test_it_rotates_again_once_and_then_halts(
    observed: Observation, afterwards: Afterwards
) -> None:
    assert decide(observed).afterwards is afterwards


def test_a_reason_says_what_each_login_came_to_and_over_which_error() -> None:
    failed = Attempt.failed(errors.CredentialsRejected("…"))
    reason = decide(Observation(Happened.SET_FAILED, failed, Attempt(Login.WORKS))).reason
    assert "AWSCURRENT is refused (CredentialsRejected)." in reason
    assert "The pending version logs in." in reason
    assert "AWSPREVIOUS" not in reason


@pytest.mark.parametrize(
    ("error", "login"),
    [
        (errors.CredentialsRejected, Login.REFUSED),
        (errors.SuperuserRejected, Login.REFUSED),
        (errors.TooManyRejectedLogins, Login.UNTRIED),
        (errors.PrivilegesDiffer, Login.LACKS_RIGHTS),
        (errors.DatabaseUnreachable, Login.UNREACHABLE),
        (errors.TooManyConnections, Login.UNREACHABLE),
        (errors.AccountLocked, Login.UNUSABLE),
        (errors.TlsFailed, Login.UNUSABLE),
        (errors.EngineFailure, Login.UNUSABLE),
    ],
)
def test_only_what_passes_by_itself_is_waited_for(
    error: type[errors.RekeyError], login: Login
) -> None:
    assert Attempt.failed(error("…")) == Attempt(login, error.__name__)


def test_the_table_in_the_document_is_the_rules_in_their_order() -> None:
    table = list(rows(section(document("recovery.md"), "## What is decided")))
    told = [(row["what is found"], row["action"], row["what a person does"]) for row in table]
    assert told == [(rule.found, str(rule.action), rule.advice) for rule in RULES]


def test_whoever_has_to_act_is_told_how() -> None:
    for rule in RULES:
        assert bool(rule.advice) == (rule.action is Action.ESCALATE)
