"""Secrets Manager invokes this function for each step of a rotation."""

from rekey import rotation
from rekey.aws import clients, environment, invocation
from rekey.aws.secrets_manager import SecretsManager
from rekey.aws.superusers import Superusers
from rekey.engines.mysql import MysqlEngine
from rekey.engines.sealed import Sealed
from rekey.model import Deadline, RotationRequest, StepResult

ENGINE = Sealed(MysqlEngine())
RULES = environment.password_rules()


def step(request: RotationRequest, deadline: Deadline) -> StepResult:
    """Join the decisions to the adapters."""
    # Not at init: a function that only starts, or gets a wrong event, needs no client.
    store = SecretsManager(clients.secrets_manager())
    world = (store, Superusers(store, clients.rds), ENGINE, RULES.generate)
    return rotation.run(rotation.Rotation(request, *world, deadline))


handler = invocation.rotation_handler(ENGINE.name, step)
