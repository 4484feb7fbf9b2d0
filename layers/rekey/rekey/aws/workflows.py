"""Step Functions: starts executions under names that make a repeat harmless."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from rekey.errors import StepFunctionsFailure
from rekey.model import Execution, Workflow

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class StateMachines:
    """See Workflows. ``arns`` are those of the deployed state machines."""

    def __init__(self, client: "SFNClient", arns: Mapping[Workflow, str]) -> None:
        self._client = client
        self._arns = arns

    def start(self, execution: Execution) -> bool:
        """See Workflows."""
        arn = self._arns[execution.workflow]
        try:
            self._client.start_execution(
                stateMachineArn=arn, name=execution.name, input=json.dumps(dict(execution.input))
            )
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
        except BotoCoreError as error:
            code = type(error).__name__
        else:
            return True
        if code == "ExecutionAlreadyExists":
            return False
        raise StepFunctionsFailure(f"{arn} was not started: {code}.")
