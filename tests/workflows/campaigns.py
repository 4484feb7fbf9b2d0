"""Campaigns: runs of the workflow that rotates many secrets as one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rekey.model import Workflow
from tests.conftest import Deployed
from tests.end_to_end.application import PATIENCE, Document, wait_for

RULES = {"AutomaticallyAfterDays": 30}


@dataclass(frozen=True)
class Ended:
    """A campaign that has ended: its status, and what it wrote about each secret."""

    run: Document
    summary: Document

    @property
    def stands(self) -> bool:
        return bool(self.run["status"] == "SUCCEEDED")

    def became(self, arn: str) -> str:
        return str(self.of(arn)["became"])

    def of(self, arn: str) -> Document:
        return next(secret for secret in self.summary["secrets"] if secret["secretId"] == arn)


def start(deployed: Deployed, **settings: Any) -> str:
    """Start a campaign; the ARN of its run."""
    client = deployed.account.client("stepfunctions")
    machine = deployed.state_machine_arn(Workflow.ROTATE)
    answer = client.start_execution(stateMachineArn=machine, input=json.dumps(settings))
    return str(answer["executionArn"])


def end(deployed: Deployed, arn: str, patience: float = PATIENCE) -> Ended:
    """The campaign, once it has ended."""
    client = deployed.account.client("stepfunctions")

    def found() -> Document | None:
        run: Document = client.describe_execution(executionArn=arn)
        return run if run["status"] != "RUNNING" else None

    run = wait_for(found, "the end of the campaign", patience)
    return Ended(run, _summary(deployed, run["name"]))


def histories(deployed: Deployed, run_arn: str) -> str:
    """All that stands in the history of a campaign, and in those of the children of its maps."""
    client = deployed.account.client("stepfunctions")
    found = [run_arn]
    for map_run in client.list_map_runs(executionArn=run_arn)["mapRuns"]:
        children = client.list_executions(mapRunArn=map_run["mapRunArn"])["executions"]
        found += [child["executionArn"] for child in children]
    pages = (
        page
        for arn in found
        for page in client.get_paginator("get_execution_history").paginate(executionArn=arn)
    )
    return json.dumps(list(pages), default=str, ensure_ascii=False)


def campaign(deployed: Deployed, **settings: Any) -> Ended:
    """Start one and wait for its end."""
    return end(deployed, start(deployed, **settings))


def _summary(deployed: Deployed, name: str) -> Document:
    """Empty if the campaign did not come so far."""
    client, bucket = deployed.account.client("s3"), deployed.outputs["CampaignBucketName"]
    try:
        body = client.get_object(Bucket=bucket, Key=f"{name}/summary.json")["Body"]
    except client.exceptions.ClientError:
        return {}
    document: Document = json.load(body)
    return document


def attached(app: Any) -> Any:
    """The secret under rotation, but not rotated yet."""
    app.client.rotate_secret(
        SecretId=app.arn,
        RotationLambdaARN=app.function_arn,
        RotationRules=RULES,
        RotateImmediately=False,
    )
    wait_for(lambda: not app.rotating() or None, "the test rotation to end")
    return app


def ring(deployed: Deployed, name: str, state: str) -> None:
    client = deployed.account.client("cloudwatch")
    client.put_metric_alarm(
        AlarmName=name,
        Namespace="Own",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    client.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")
