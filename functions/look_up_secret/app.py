"""The workflow recover asks here whose a secret is, and what has become of it since.

The rest of what Secrets Manager knows of the secret stays out of the histories of its runs.
"""

from typing import Any

from rekey.aws import clients
from rekey.aws.functions import LambdaFunctions
from rekey.aws.secrets_manager import SecretsManager
from rekey.aws.tasks import task_handler
from rekey.errors import InvalidEvent
from rekey.recovery.again import look_again
from rekey.recovery.look_up import look_up

TASKS = {"lookUp": look_up, "lookAgain": look_again}


def task(event: dict[str, Any]) -> dict[str, Any]:
    """Join the decisions to the adapters."""
    asked = TASKS.get(str(event.get("task")))
    if asked is None:
        raise InvalidEvent(f"The task must be one of {', '.join(TASKS)}.")
    store = SecretsManager(clients.secrets_manager())
    return asked(store, LambdaFunctions(clients.lambda_functions()), event)


handler = task_handler(task)
