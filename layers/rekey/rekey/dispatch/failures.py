"""What follows from a rotation that failed or was abandoned: a recovery."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rekey.access.shape import text
from rekey.alerts.record import event_id, happened_at, secret_arn
from rekey.errors import InvalidEvent
from rekey.model import Happened, Step

STEPS = {
    Step.CREATE: Happened.CREATE_FAILED,
    Step.SET: Happened.SET_FAILED,
    Step.TEST: Happened.TEST_FAILED,
    Step.FINISH: Happened.FINISH_FAILED,
}
STEP = re.compile(r" during (\w+) step")
"""In errorMessage, where the service says which step failed."""

TOKEN = re.compile(r"[\w-]{32,64}\Z")
"""What requestID ends with: the client request token, after "Rotation-" and the ARN."""


@dataclass(frozen=True)
class Failure:
    """A rotation that failed or was abandoned. ``version_id`` is empty where nothing tells it.

    ``event_id`` is what repeated deliveries have in common; ``when`` is the second in which it
    failed (aware).
    """

    secret_arn: str
    version_id: str
    happened: Happened
    event_id: str
    when: datetime


def failure(detail: Mapping[str, Any]) -> Failure:
    """Read a service event of CloudTrail. Raises InvalidEvent, which repeats no value of it.

    Source: Secrets Manager user guide, "AWS CloudTrail entries for Secrets Manager".
    """
    arn = secret_arn(detail)
    if arn is None:
        raise InvalidEvent("The event names no secret.")
    version, happened = _version(detail, arn), _happened(detail)
    return Failure(arn, version, happened, event_id(detail), happened_at(detail))


def _happened(detail: Mapping[str, Any]) -> Happened:
    match text(detail, "eventName"):
        case "RotationAbandoned":
            return Happened.ABANDONED
        case "RotationFailed":
            found = STEP.search(text(detail, "errorMessage"))
            known = found is not None and found[1] in set(Step)
            # Without the step, as much is looked at as after any other.
            return STEPS[Step(found[1])] if found and known else Happened.STUCK
        case _:
            raise InvalidEvent("The event is not about a failed rotation. Correct the rule.")


def _version(detail: Mapping[str, Any], arn: str) -> str:
    token = text(detail, "requestID").partition(f"Rotation-{arn}-")[2]
    return token if TOKEN.match(token) else ""
