"""Runs of the deployed workflows, as tests wait for them and look into them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rekey.model import Workflow
from tests.conftest import Deployed
from tests.end_to_end.application import Rotated, wait_for

Run = dict[str, Any]


def runs(app: Rotated, workflow: Workflow) -> list[Run]:
    """The runs about this application's secret, oldest first."""
    client = app.deployed.account.client("stepfunctions")
    machine = app.deployed.state_machine_arn(workflow)
    pages = client.get_paginator("list_executions").paginate(stateMachineArn=machine)
    ours = [
        client.describe_execution(executionArn=item["executionArn"])
        for page in pages
        for item in page["executions"]
        if _secret_of(client, item["executionArn"]) == app.arn
    ]
    return sorted(ours, key=lambda run: run["startDate"])


SECRETS: dict[str, str] = {}
"""Which secret a run is about, by the run's ARN: that never changes, and tests ask often."""


def _secret_of(client: Any, run_arn: str) -> str:
    if run_arn not in SECRETS:
        given = json.loads(client.describe_execution(executionArn=run_arn)["input"])
        SECRETS[run_arn] = given.get("secretId", "")
    return SECRETS[run_arn]


def ended(app: Rotated, workflow: Workflow, number: int = 1) -> Run:
    """The run of this number, as soon as it has ended."""

    def found() -> Run | None:
        listed = runs(app, workflow)
        done = len(listed) >= number and listed[number - 1]["status"] != "RUNNING"
        return listed[number - 1] if done else None

    return wait_for(found, f"the end of run {number} of {workflow}")


def states(app: Rotated, run: Run) -> list[str]:
    """The names of the states that the run went through."""
    return [
        e["stateEnteredEventDetails"]["name"]
        for e in _events(app, run)
        if "stateEnteredEventDetails" in e
    ]


def history(app: Rotated, run: Run) -> str:
    """All that stands in the history of a run."""
    return json.dumps(_events(app, run), default=str, ensure_ascii=False)


def _events(app: Rotated, run: Run) -> list[dict[str, Any]]:
    client = app.deployed.account.client("stepfunctions")
    pages = client.get_paginator("get_execution_history").paginate(executionArn=run["executionArn"])
    return [event for page in pages for event in page["events"]]


@contextmanager
def shortened(deployed: Deployed, scale: float) -> Iterator[None]:
    """Let a second of waiting take so many seconds in workflows that begin to wait meanwhile."""
    before = deployed.account.control("waits")
    deployed.account.control("waits", {"scale": scale})
    try:
        yield
    finally:
        deployed.account.control("waits", before)
