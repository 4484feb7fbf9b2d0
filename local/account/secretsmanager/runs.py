"""One rotation at work: what it is about, and what CloudTrail is told about it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import StrEnum

from local.account import cloudtrail
from local.account.secretsmanager.store import Secret


class Step(StrEnum):
    """In the order in which Secrets Manager calls the function."""

    CREATE = "createSecret"
    SET = "setSecret"
    TEST = "testSecret"
    FINISH = "finishSecret"


@dataclass(frozen=True)
class Run:
    """One rotation at work; `ended` is set from outside when it shall do nothing more."""

    secret_arn: str
    function_arn: str
    token: str
    rotation_token: str
    test: bool
    ended: threading.Event = field(default_factory=threading.Event)

    def record(self, name: str, *, failed_step: Step | None = None) -> None:
        """A service event of CloudTrail; the texts are the service's own."""
        if failed_step is None:
            cloudtrail.record_service_event(name, self.secret_arn)
            return
        cloudtrail.record_service_event(
            name,
            self.secret_arn,
            error_message=f"Error when executing lambda {self.function_arn} "
            f"during {failed_step} step",
            request_id=f"Rotation-{self.secret_arn}-{self.token}",
        )


def run_of(secret: Secret) -> Run:
    """The run of the rotation that stands on this secret."""
    rotation = secret["_Rotation"]
    return Run(
        secret_arn=secret["ARN"],
        function_arn=secret["RotationLambdaARN"],
        token=rotation["Token"],
        rotation_token=rotation["RotationToken"],
        test=rotation["Test"],
    )
