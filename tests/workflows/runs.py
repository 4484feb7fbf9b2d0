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
    listed = [
        client.describe_execution(executionArn=item["executionArn"])
        for page in pages
        for item in page["executions"]
    ]
    ours = [run for run in listed if json.loads(run["input"])["secretId"] == app.arn]
    return sorted(ours, key=lambda run: run["startDate"])


def ended(app: Rotated, workflow: Workflow, number: int = 1) -> Run:
    """The run of this number, as soon as it has ended."""

    def found() -> Run | None:
        listed = runs(app, workflow)
        done = len(listed) >= number and listed[number - 1]["status"] != "RUNNING"
        return listed[number - 1] if done else None

    return wait_for(found, f"the end of run {number} of {workflow}")


def states(app: Rotated, run: Run) -> list[str]:
    """The names of the states that the run went through."""
    client = app.deployed.account.client("stepfunctions")
    events = client.get_execution_history(executionArn=run["executionArn"])["events"]
    return [
        e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e
    ]


@contextmanager
def shortened(deployed: Deployed, scale: float) -> Iterator[None]:
    """Let a second of waiting take so many seconds in workflows that begin to wait meanwhile."""
    before = deployed.account.control("waits")
    deployed.account.control("waits", {"scale": scale})
    try:
        yield
    finally:
        deployed.account.control("waits", before)
