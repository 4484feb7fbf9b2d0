"""The scene of a rotation that fails and heals itself, with the message that a person gets."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from local.demo import claims
from local.demo.application import Application, verdict
from local.demo.claims import Claim
from local.demo.rotation import PATIENCE, RotationLostError, rotate, say_end
from local.demo.screen import Screen
from local.demo.stage import Document, Stage

ATTEMPTS, DELAY = 2, 0.3
SCALE = 1 / 300
"""Waits of the workflow: its quarter of an hour before another rotation takes three seconds."""
INTERVAL = 0.1
FROM_TOPICS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": "*",
        }
    ],
}


class Mailbox:
    """A subscriber of the alerts: what would go to a person's address."""

    def __init__(self, stage: Stage) -> None:
        self._sqs = stage.account.client("sqs")
        created = self._sqs.create_queue(
            QueueName="a-person", Attributes={"Policy": json.dumps(FROM_TOPICS)}
        )
        self._url = created["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        stage.account.client("sns").subscribe(
            TopicArn=stage.outputs["AlertsTopicArn"],
            Protocol="sqs",
            Endpoint=arn["Attributes"]["QueueArn"],
        )
        self.messages: list[Document] = []

    def about(self, secret_arn: str) -> list[Document]:
        """All that has come about the secret so far; each with its subject."""
        answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            note = json.loads(message["Body"])
            self.messages.append({**json.loads(note["Message"]), "subject": note["Subject"]})
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return [message for message in self.messages if message["secret"] == secret_arn]


def database_down(app: Application, screen: Screen) -> list[Claim]:
    """The rotation fails while the database is down; nobody does anything about it."""
    screen.scene(f"{app.secret_name}: a rotation while the database is down, and its recovery")
    screen.say(f"PostgreSQL is stopped. Secrets Manager tries {ATTEMPTS} times here.")
    before, mailbox = app.login(), Mailbox(app.stage)
    with app.stage.retries(ATTEMPTS, DELAY), app.stage.waiting(SCALE):
        with app.stage.database_down():
            failed = rotate(app, screen)
            say_end(screen, app, failed)
        same, refusal = app.login() == before, app.refusal(before)
        screen.say("PostgreSQL is back. RotationFailed has started the workflow recover.")
        run = _until(lambda: _ended(app), "the end of the recovery")
        _until(lambda: app.login() != before and not app.stage.is_rotating(), "the rotation")
        (message, *more) = _until(lambda: mailbox.about(app.secret_arn), "the message")
    screen.say(" -> ".join(_path(app.stage, run)))
    _show(screen, message)
    return [
        claims.failure_is_named(
            failed.timeline.end, failed.timeline.failure, "DatabaseUnreachable"
        ),
        Claim(
            "Database down: nobody is locked out",
            f"AWSCURRENT {'stayed' if same else 'moved'}; back up, it {verdict(refusal)}",
            holds=same and refusal is None,
        ),
        _healed(app, run),
        _told_once([message, *more]),
    ]


def _ended(app: Application) -> Document | None:
    runs = [run for run in app.stage.runs("Recover") if app.secret_arn in run["input"]]
    return runs[0] if runs and runs[0]["status"] != "RUNNING" else None


def _path(stage: Stage, run: Document) -> list[str]:
    """What the workflow did, in the names of its states; waits and notes are left out."""
    client = stage.account.client("stepfunctions")
    events = client.get_execution_history(executionArn=run["executionArn"])["events"]
    entered = [e for e in events if e["type"] == "TaskStateEntered"]
    return [event["stateEnteredEventDetails"]["name"] for event in entered]


def _show(screen: Screen, message: Document) -> None:
    screen.say(f"The message: {message['subject']}")
    for line in (message["what"], *message["done"], *message["nextSteps"]):
        screen.say(f"    {line}")


def _healed(app: Application, run: Document) -> Claim:
    refusal = app.refusal(app.login())
    return Claim(
        "Database back: the rotation heals by itself",
        f"recover {run['status'].lower()}, another rotation; AWSCURRENT {verdict(refusal)}",
        holds=run["status"] == "SUCCEEDED" and refusal is None,
    )


def _told_once(messages: list[Document]) -> Claim:
    kinds = ", ".join(message["kind"] for message in messages)
    return Claim(
        "A person is told once what happened and what was done",
        f"{len(messages)} message: {kinds}",
        holds=[message["kind"] for message in messages] == ["recovered"],
    )


def _until(look: Callable[[], Any], what: str) -> Any:
    limit = time.monotonic() + PATIENCE
    while not (found := look()):
        if time.monotonic() > limit:
            raise RotationLostError(f"waited {PATIENCE:.0f} s for {what}")
        time.sleep(INTERVAL)
    return found
