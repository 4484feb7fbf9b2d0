"""From a rotation that failed to an AWSCURRENT that works, through the deployed stack."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pg8000.native
from pg8000.native import identifier, literal

from benchmarks.application import Application, Login
from benchmarks.stage import Stage, wait_for
from local.toolchain import CHECKOUT
from rekey.model import STRATEGY_LABELS, Happened, Label, Strategy

SAMPLE = CHECKOUT / "events" / "changes" / "rotation_failed.json"
NO_WAITS = 0.0
FENCE = 35
"""The time limit of the rotation functions and five seconds (statemachines/recover.asl.json)."""


@dataclass(frozen=True)
class Way:
    """One row of the decision table: what it does, for whom, and how the state is made."""

    action: str
    strategy: Strategy
    happened: Happened
    broken: Callable[[Stage, Application], Callable[[], bool]]
    """Makes the state, and returns what tells that things are right again."""
    fence: int = 0
    """Seconds that the workflow waits for a step under way, before it verifies."""


@dataclass(frozen=True)
class Taken:
    """Seconds from the event: to AWSCURRENT logging in, and to the workflow having verified it."""

    working: float
    verified: float


@dataclass(frozen=True)
class Recovered:
    """The first run, in which functions start, and the others."""

    way: Way
    first: Taken
    others: list[Taken]


def recoveries(stage: Stage, runs: int) -> list[Recovered]:
    """Let each way be gone so often. The workflow's waits are left out, the fence among them."""
    before = stage.account.control("waits")
    stage.account.control("waits", {"scale": NO_WAITS})
    try:
        with stage.listening():
            found = [(way, [_recover(stage, way) for _ in range(runs)]) for way in WAYS]
    finally:
        stage.account.control("waits", before)
    return [Recovered(way, taken[0], taken[1:]) for way, taken in found]


def _recover(stage: Stage, way: Way) -> Taken:
    application = Application(stage, way.strategy, stage.function_arn)
    application.rotate_once()
    right = way.broken(stage, application)
    event = _event(application, way.happened)
    began, started = datetime.now(UTC), time.monotonic()
    stage.account.control("events", {"events": [event]})
    wait_for(lambda: True if right() else None, f"{way.action} to have worked")
    working = time.monotonic() - started
    verified = wait_for(lambda: _verified(stage, application.arn), f"{way.action} to be verified")
    wait_for(lambda: None if stage.is_rotating() else True, "the rotation that may follow")
    return Taken(working, (verified - began).total_seconds())


def _event(application: Application, happened: Happened) -> dict[str, Any]:
    """The event of Secrets Manager, as the account would send it."""
    _, _, _, region, account, *_ = application.arn.split(":")
    event: dict[str, Any] = json.loads(SAMPLE.read_text()) | {"region": region, "account": account}
    step, token = happened.removesuffix(" failed"), application.pending() or str(uuid.uuid4())
    event["detail"] |= {
        "additionalEventData": {"SecretId": application.arn},
        "requestID": f"Rotation-{application.arn}-{token}",
        "errorMessage": f"Error when executing lambda during {step} step",
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventID": str(uuid.uuid4()),
    }
    return event


def _verified(stage: Stage, arn: str) -> datetime | None:
    """When the workflow left Verify, in the only run about this secret."""
    client = stage.account.client("stepfunctions")
    listed = client.list_executions(stateMachineArn=stage.recover_arn, maxResults=10)
    for run in listed["executions"]:
        described = client.describe_execution(executionArn=run["executionArn"])
        if json.loads(described["input"])["secretId"] != arn:
            continue
        events = client.get_execution_history(executionArn=run["executionArn"])["events"]
        for event in events:
            if event.get("stateExitedEventDetails", {}).get("name") == "Verify":
                left: datetime = event["timestamp"]
                return left.astimezone(UTC)
    return None


def _after_set_secret(stage: Stage, application: Application) -> Callable[[], bool]:
    """The function was killed between setSecret and testSecret."""
    login = _put_pending(application, Strategy.SINGLE_USER)
    _set_password(stage, login)
    return lambda: _logs_in(stage, application)


def _before_set_secret(_: Stage, application: Application) -> Callable[[], bool]:
    """The server does not have the pending password, as setSecret failed."""
    _put_pending(application, Strategy.ALTERNATING_USERS)
    return lambda: application.pending() is None


def _behind_its_back(stage: Stage, application: Application) -> Callable[[], bool]:
    """Somebody changed the password in AWSCURRENT; the former user still logs in."""
    _set_password(stage, Login(application.value(Label.CURRENT)["username"]))
    return lambda: _logs_in(stage, application)


def _put_pending(application: Application, strategy: Strategy) -> Login:
    alternating = strategy is Strategy.ALTERNATING_USERS
    value = application.value(Label.CURRENT)
    user = application.value(Label.PREVIOUS)["username"] if alternating else value["username"]
    login = Login(user)
    labels = [Label.PENDING, Label.INTENT, STRATEGY_LABELS[strategy]]
    application.put(value | {"username": login.username, "password": login.password}, labels)
    return login


def _set_password(stage: Stage, login: Login) -> None:
    user, password = identifier(login.username), literal(login.password)
    stage.postgres.execute(f"ALTER ROLE {user} PASSWORD {password}")


def _logs_in(stage: Stage, application: Application) -> bool:
    value = application.value(Label.CURRENT)
    with (
        suppress(pg8000.native.DatabaseError),
        stage.postgres.connect(value["username"], value["password"]),
    ):
        return True
    return False


WAYS = (
    Way("rollForward", Strategy.SINGLE_USER, Happened.TEST_FAILED, _after_set_secret),
    Way("clear", Strategy.ALTERNATING_USERS, Happened.SET_FAILED, _before_set_secret, FENCE),
    Way("rollBack", Strategy.ALTERNATING_USERS, Happened.SET_FAILED, _behind_its_back, FENCE),
)
