"""What can go wrong at an effect, and at which kinds of effect it can."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rekey.errors import SecretAccessDenied, SecretsManagerFailure
from rekey.model import Label, Step, WorkflowStep
from tests.database import new_password
from tests.faults.effects import Effect, Fault, Kind
from tests.faults.schedule import Schedule
from tests.world import ARN, SUPERUSER_ARN, new_token

CALLS = frozenset({Kind.READ, Kind.WRITE})
SERVER = frozenset({Kind.LOGIN, Kind.STATEMENT})
EVERYWHERE = CALLS | SERVER

Do = Callable[[], Any]


@dataclass(frozen=True)
class Trouble:
    """A fault by its name. ``make`` binds it to a schedule."""

    name: str
    kinds: frozenset[Kind]
    make: Callable[[Schedule], Fault]
    only_with_superuser: bool = False
    hides_a_refusal: bool = False
    """Whether it may keep one refused login from being counted."""


def killed_before(schedule: Schedule) -> Fault:
    def fault(_: Effect, __: Do) -> Any:
        raise schedule.effects.kill()

    return fault


def killed_after(schedule: Schedule) -> Fault:
    def fault(_: Effect, do: Do) -> Any:
        _whatever_comes_of_it(do)
        raise schedule.effects.kill()

    return fault


def throttled(_: Schedule) -> Fault:
    def fault(_: Effect, __: Do) -> Any:
        raise SecretsManagerFailure("ThrottlingException")

    return fault


def answer_lost(_: Schedule) -> Fault:
    """It happened, and nobody said so."""

    def fault(_: Effect, do: Do) -> Any:
        _whatever_comes_of_it(do)
        raise SecretsManagerFailure("ReadTimeoutError")

    return fault


def denied(_: Schedule) -> Fault:
    def fault(_: Effect, __: Do) -> Any:
        raise SecretAccessDenied("AccessDeniedException")

    return fault


def not_seen_yet(schedule: Schedule) -> Fault:
    def fault(_: Effect, do: Do) -> Any:
        return schedule.store.not_seen_yet(do)

    return fault


def reset_before(_: Schedule) -> Fault:
    def fault(_: Effect, __: Do) -> Any:
        raise ConnectionResetError

    return fault


def reset_after(_: Schedule) -> Fault:
    def fault(_: Effect, do: Do) -> Any:
        _whatever_comes_of_it(do)
        raise ConnectionResetError

    return fault


def server_restarts(schedule: Schedule) -> Fault:
    def fault(_: Effect, do: Do) -> Any:
        schedule.server.own.restart()
        return do()

    return fault


def step_twice_at_once(schedule: Schedule) -> Fault:
    """A second invocation of the same step runs from start to end meanwhile."""
    return meanwhile(schedule, lambda: _quietly(schedule, _step_of(schedule), schedule.token))


def pending_taken_off(schedule: Schedule) -> Fault:
    return meanwhile(schedule, lambda: schedule.store.end_rotation(ARN))


def cancelled(schedule: Schedule) -> Fault:
    """CancelRotateSecret turns rotation off and leaves AWSPENDING where it is."""

    def cancel() -> None:
        schedule.world.secret.rotation_enabled = False

    return meanwhile(schedule, cancel)


def another_rotation(schedule: Schedule) -> Fault:
    """An operator takes AWSPENDING off and starts anew; that rotation runs as far as it gets.

    Secrets Manager asks for no step after one that has failed.
    """

    def rotate() -> None:
        token = new_token()
        schedule.store.end_rotation(ARN)
        schedule.world.start(token)
        all(_quietly(schedule, step, token) for step in Step)
        schedule.store.end_rotation(ARN)
        schedule.former = None

    return meanwhile(schedule, rotate)


def value_put_by_hand(schedule: Schedule) -> Fault:
    """An operator changes the current user's password and stores it: the rotation is abandoned."""

    def put() -> None:
        current = schedule.world.credential(Label.CURRENT)
        if current is None:
            return
        password = new_password()
        schedule.server.change_password(current.username, password)
        value = current.with_login(current.username, password).to_json()
        schedule.world.secret.put_by_hand(value)
        schedule.by_hand = True
        schedule.former = None

    return meanwhile(schedule, put)


def superuser_rotates(schedule: Schedule) -> Fault:
    def rotate() -> None:
        schedule.learn_secrets()
        superuser = schedule.store.secrets[SUPERUSER_ARN]
        document = json.loads(superuser.values["v1"] or "")
        document["password"] = new_password()
        schedule.server.change_password(document["username"], document["password"])
        superuser.values["v1"] = json.dumps(document)

    return meanwhile(schedule, rotate)


def meanwhile(schedule: Schedule, something: Callable[[], Any]) -> Fault:
    def fault(_: Effect, do: Do) -> Any:
        with schedule.effects.aside():
            something()
        schedule.look("meanwhile")
        return do()

    return fault


def _step_of(schedule: Schedule) -> Step | WorkflowStep:
    return schedule.running or Step.CREATE


def _quietly(schedule: Schedule, step: Step | WorkflowStep, token: str) -> bool:
    with schedule.effects.on_behalf_of(token):
        return schedule.told_by(step, token) is not None


def _whatever_comes_of_it(do: Do) -> None:
    """An error is an answer too, which nobody gets."""
    with contextlib.suppress(Exception):
        do()


CATALOGUE = (
    Trouble("killed before it", EVERYWHERE, killed_before),
    Trouble("killed after it, before the answer", EVERYWHERE, killed_after),
    Trouble("throttled", CALLS, throttled),
    Trouble("done, and the answer lost", CALLS, answer_lost),
    Trouble("access denied", CALLS, denied),
    Trouble("last write not seen yet", frozenset({Kind.READ}), not_seen_yet),
    Trouble("connection reset before it", SERVER, reset_before),
    Trouble("connection reset after it", SERVER, reset_after),
    Trouble("server restarts", SERVER, server_restarts),
    Trouble("the step twice at once", EVERYWHERE, step_twice_at_once),
    Trouble("AWSPENDING taken off", EVERYWHERE, pending_taken_off),
    Trouble("CancelRotateSecret", EVERYWHERE, cancelled),
    Trouble("another rotation meanwhile", EVERYWHERE, another_rotation),
    Trouble("a value put by hand", EVERYWHERE, value_put_by_hand),
    Trouble(
        "the superuser's secret rotates", EVERYWHERE, superuser_rotates, only_with_superuser=True
    ),
)
