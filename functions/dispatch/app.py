"""A queue feeds this function with events about secrets.

It starts the workflow that an event asks for, and reports what people should know.
"""

from collections.abc import Mapping

from rekey.alerts.finding import owner_of
from rekey.alerts.listen import Listener
from rekey.alerts.report import Reporter
from rekey.aws import clients, environment
from rekey.aws.alerts import Alerts, elsewhere
from rekey.aws.batches import batch_handler
from rekey.aws.crowds import CrowdItems
from rekey.aws.functions import LambdaFunctions
from rekey.aws.incidents import Incidents
from rekey.aws.owners import owners
from rekey.aws.recoveries import count_recovery
from rekey.aws.secrets_manager import SecretsManager
from rekey.aws.watched import SweepItems
from rekey.aws.workflows import StateMachines
from rekey.dispatch import Dispatcher, dispatch
from rekey.model import Workflow

ARNS = environment.state_machines(Workflow.RETIRE, Workflow.RECOVER)
GRACE, STALE = environment.grace_seconds(), environment.stale_seconds()
TABLE, TOPIC = environment.state_table(), environment.alerts_topic_arn()
OURS, SWEEP = environment.our_roles(), environment.sweep_role()


def handle(message: object) -> Mapping[str, str]:
    """Join the decisions to the adapters."""
    store, dynamodb = SecretsManager(clients.secrets_manager()), clients.dynamodb()
    functions = LambdaFunctions(clients.lambda_functions())
    machines, (hub, ocsf) = StateMachines(clients.step_functions(), ARNS), elsewhere()
    alerts = Alerts(clients.sns(), clients.events(), TOPIC)
    incidents, crowds = Incidents(dynamodb, TABLE), CrowdItems(dynamodb, TABLE)
    report = Reporter(incidents, alerts, owners(store, owner_of), crowds, hub, ocsf).report
    seen = SweepItems(dynamodb, TABLE).note_seen
    heard = Listener(report, seen, OURS, SWEEP, count_recovery).hear(message)
    return heard or dispatch(Dispatcher(store, functions, machines, GRACE, STALE), message)


handler = batch_handler(handle)
