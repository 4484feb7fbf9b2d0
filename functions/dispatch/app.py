"""A queue feeds this function with events about secrets; it starts the workflow each asks for."""

from collections.abc import Mapping

from rekey.aws import clients, environment
from rekey.aws.batches import batch_handler
from rekey.aws.functions import LambdaFunctions
from rekey.aws.secrets_manager import SecretsManager
from rekey.aws.workflows import StateMachines
from rekey.dispatch import Dispatcher, dispatch

ARNS, GRACE_SECONDS = environment.state_machines(), environment.grace_seconds()


def handle(message: object) -> Mapping[str, str]:
    """Join the decisions to the adapters."""
    store = SecretsManager(clients.secrets_manager())
    functions = LambdaFunctions(clients.lambda_functions())
    workflows = StateMachines(clients.step_functions(), ARNS)
    return dispatch(Dispatcher(store, functions, workflows, GRACE_SECONDS), message)


handler = batch_handler(handle)
