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
    """It is down when the login or the statement reaches it, and up again afterwards."""

    def fault(_: Effect, do: Do) -> Any:
        schedule.server.own.stop()
        try:
            return do()
        finally:
            schedule.server.own.start()

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
    """Both at once: the server has the new password, and the secret too."""

    def rotate() -> None:
        store = _change_superuser(schedule)
        store()

    return meanwhile(schedule, rotate)


def superuser_stored_late(schedule: Schedule) -> Fault:
    """The server has it, and the secret does not until the attempt is over."""

    def change() -> None:
        schedule.after_first_attempt = _change_superuser(schedule)

    return meanwhile(schedule, change)


def _change_superuser(schedule: Schedule) -> Callable[[], None]:
    """Change its password on the server; what stores it, unless somebody has changed it since."""
    schedule.learn_secrets()
    values = schedule.store.secrets[SUPERUSER_ARN].values
    before = values["v1"] or ""
    document = {**json.loads(before), "password": new_password()}
    schedule.passwords.add(document["password"])
    schedule.server.change_password(document["username"], document["password"])

    def store() -> None:
        if values["v1"] == before:
            values["v1"] = json.dumps(document)

    return store


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
    Trouble("killed before it", EVERYWHERE, killed_before, hides_a_refusal=True),
    Trouble("killed after it, before the answer", EVERYWHERE, killed_after, hides_a_refusal=True),
    Trouble("throttled", CALLS, throttled, hides_a_refusal=True),
    Trouble("done, and the answer lost", CALLS, answer_lost, hides_a_refusal=True),
    Trouble("access denied", CALLS, denied, hides_a_refusal=True),
    Trouble("last write not seen yet", frozenset({Kind.READ}), not_seen_yet, hides_a_refusal=True),
    Trouble("connection reset before it", SERVER, reset_before),
    Trouble("connection reset after it", SERVER, reset_after, hides_a_refusal=True),
    Trouble("server restarts", SERVER, server_restarts),
    Trouble("the step twice at once", EVERYWHERE, step_twice_at_once, hides_a_refusal=True),
    Trouble("AWSPENDING taken off", EVERYWHERE, pending_taken_off),
    Trouble("CancelRotateSecret", EVERYWHERE, cancelled),
    Trouble("another rotation meanwhile", EVERYWHERE, another_rotation),
    Trouble("a value put by hand", EVERYWHERE, value_put_by_hand),
    Trouble(
        "the superuser's secret rotates", EVERYWHERE, superuser_rotates, only_with_superuser=True
    ),
    Trouble(
        "the superuser's password changes, and is stored after the attempt",
        EVERYWHERE,
        superuser_stored_late,
        only_with_superuser=True,
    ),
)
