"""The workflow recover asks here whose a secret is; the rest stays out of its history."""

from typing import Any

from rekey.aws import clients
from rekey.aws.functions import LambdaFunctions
from rekey.aws.secrets_manager import SecretsManager
from rekey.aws.tasks import task_handler
from rekey.recovery.look_up import look_up


def task(event: dict[str, Any]) -> dict[str, Any]:
    """Join the decisions to the adapters."""
    store = SecretsManager(clients.secrets_manager())
    return look_up(store, LambdaFunctions(clients.lambda_functions()), event)


handler = task_handler(task)
