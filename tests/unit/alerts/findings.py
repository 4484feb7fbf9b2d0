"""Findings for tests."""

import dataclasses
import datetime as dt
from typing import Any

from rekey.alerts.finding import Finding, Kind, Reason

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app/db-AbCdEf"
NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
TOPIC = f"rotation/{ARN}"

FINDING = Finding(
    kind=Kind.ROTATION_FAILED,
    topic=TOPIC,
    occurrence="event-1",
    when=NOW,
    what="The rotation of the version v-2 failed in setSecret.",
    secret=ARN,
    owner="payments",
    reasons=(Reason("Outcome of the rotation", "done", "DatabaseUnreachable"),),
    done=("AWSPENDING was taken off the version v-2.",),
    incident="0123456789ab-20261124T120000Z",
)


def finding(**changes: Any) -> Finding:
    return dataclasses.replace(FINDING, **changes)
