"""Rotations that fail in earnest or by their event, and what people are told of their recovery."""

from __future__ import annotations

import json
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from local.processes import send
from rekey.model import STRATEGY_LABELS, Happened, Label, Strategy, Workflow
from tests.conftest import Deployed
from tests.end_to_end.application import Application, Document, retries, wait_for
from tests.faults.deployed import processes_of
from tests.inbox import Inbox
from tests.workflows.runs import Run, ended, history, runs, states

OF_RECOVERIES = {"recovered", "needs-person", "halted"}
SILENT = {"AtWorkAlready", "NothingToDo"}
SAMPLE = Path(__file__).parents[2] / "events" / "changes" / "rotation_failed.json"


def rotated(app: Application) -> Application:
    """With the service's own repetitions: a machine that is busy may let a first attempt fail."""
    with retries(app.deployed, 3):
        assert app.rotate_and_wait()["eventName"] == "RotationSucceeded"
    return app


def said(app: Application, told: Inbox, count: int) -> list[Document]:
    """What people were told of recoveries of the secret, once there is so much of it."""

    def about_it(messages: list[Document]) -> list[Document]:
        findings = [json.loads(message["Message"]) for message in messages]
        return [f for f in findings if f["secret"] == app.arn and f["kind"] in OF_RECOVERIES]

    return about_it(told.until(lambda messages: len(about_it(messages)) >= count))


def holder(app: Application, label: str) -> str:
    return next((version for version, held in app.labels().items() if label in held), "")


def user(app: Application, label: str = "AWSCURRENT") -> str:
    return str(app.value(label)["username"])


def change_behind_its_back(app: Application) -> str:
    """Give the user of AWSCURRENT another password, as an operator does; that password."""
    password = app.new_password()
    app.server.change_password(user(app), password)
    return password


def begun(app: Application, token: str = "") -> str:
    """Store a value as createSecret does; the token. Of two users it is the other one's turn."""
    token, value = token or str(uuid.uuid4()), app.value("AWSCURRENT")
    value["password"] = app.new_password()
    strategy = Strategy.SINGLE_USER
    if app.alternating:
        strategy, value["username"] = Strategy.ALTERNATING_USERS, user(app, "AWSPREVIOUS")
    app.client.put_secret_value(
        SecretId=app.arn,
        ClientRequestToken=token,
        SecretString=json.dumps(value),
        VersionStages=[Label.PENDING, Label.INTENT, STRATEGY_LABELS[strategy]],
    )
    return token


def cut_off(app: Application, token: str = "") -> str:
    """Change the server as setSecret does, and nothing more; the token."""
    token = begun(app, token)
    value = app.value("AWSPENDING")
    app.server.change_password(value["username"], value["password"])
    return token


def send_failure(app: Application, token: str, happened: Happened) -> None:
    """The event of Secrets Manager."""
    app.deployed.account.control("events", {"events": [failure(app, token, happened)]})


def failure(app: Application, token: str, happened: Happened) -> Document:
    """It failed just now."""
    _, _, _, region, account, *_ = app.arn.split(":")
    event: Document = json.loads(SAMPLE.read_text()) | {"region": region, "account": account}
    step = happened.removesuffix(" failed")
    event["detail"] |= {
        "eventTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "additionalEventData": {"SecretId": app.arn},
        "requestID": f"Rotation-{app.arn}-{token}",
        "errorMessage": f"Error when executing lambda {app.function_arn} during {step} step",
        "eventID": str(uuid.uuid4()),
    }
    return event


def begin(app: Application, **given: str) -> None:
    """By hand."""
    app.deployed.account.client("stepfunctions").start_execution(
        stateMachineArn=app.deployed.state_machine_arn(Workflow.RECOVER),
        input=json.dumps({"secretId": app.arn, **given}),
    )


def start(app: Application, **given: str) -> Run:
    """By hand, to its end."""
    known = len(runs(app, Workflow.RECOVER))
    begin(app, **given)
    return ended(app, Workflow.RECOVER, known + 1)


def comes_to(app: Application, state: str) -> None:
    """Wait until a recovery is in this state."""

    def found() -> bool:
        return any(state in states(app, run) for run in runs(app, Workflow.RECOVER))

    wait_for(found, f"the state {state}")


def end(app: Application, number: int = 1) -> tuple[str, str]:
    """How a recovery ended, and in which state."""
    run = ended(app, Workflow.RECOVER, number)
    return run["status"], states(app, run)[-1]


def told_in_histories(app: Application) -> str:
    """All that stands in the histories of the recoveries of a secret."""
    return "\n".join(history(app, run) for run in runs(app, Workflow.RECOVER))


def kill_function(deployed: Deployed) -> None:
    """End the processes in which the rotation function runs."""
    name = deployed.rotation_function_arn.rpartition(":")[2]
    send(signal.SIGKILL, processes_of(deployed.account.endpoint, name))


@contextmanager
def connections(app: Application, username: str, limit: int) -> Iterator[None]:
    """So many connections has a user; then as many as it likes."""
    app.postgres.execute(f'ALTER ROLE "{username}" CONNECTION LIMIT {limit}')
    try:
        yield
    finally:
        app.postgres.execute(f'ALTER ROLE "{username}" CONNECTION LIMIT -1')


@contextmanager
def time_limit(deployed: Deployed, seconds: int) -> Iterator[None]:
    """Give the rotation function so much time only."""
    client, name = deployed.account.client("lambda"), deployed.rotation_function_arn
    before = client.get_function_configuration(FunctionName=name)["Timeout"]
    client.update_function_configuration(FunctionName=name, Timeout=seconds)
    kill_function(deployed)  # Lambda would replace them too.
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=name, Timeout=before)
        kill_function(deployed)
