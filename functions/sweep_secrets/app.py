"""A schedule invokes this function every few minutes.

It looks at all secrets once a day, and each time at the incidents that may be over.
"""

from rekey.access.closing import Closing
from rekey.alerts.digest import Digest
from rekey.alerts.report import Reporter
from rekey.alerts.sweep import Sweep
from rekey.aws import clients, environment
from rekey.aws.access_state import AccessState
from rekey.aws.alerts import Alerts, elsewhere
from rekey.aws.crowds import CrowdItems
from rekey.aws.incidents import Incidents
from rekey.aws.open_incidents import OpenIncidents
from rekey.aws.suppressions import Suppressions
from rekey.aws.sweeps import sweep_handler
from rekey.aws.watched import CloudTrails, SecretLists, SweepItems
from rekey.aws.workflows import StateMachines
from rekey.model import Deadline, Workflow
from rekey.watched import Progress

TABLE, TOPIC = environment.state_table(), environment.alerts_topic_arn()
ARNS = environment.state_machines(Workflow.RECOVER)


def go_on(deadline: Deadline) -> Progress:
    """Join the decisions to the adapters."""
    secrets, trails = SecretLists(clients.secrets_manager()), CloudTrails(clients.cloudtrail())
    dynamodb, alerts = clients.dynamodb(), Alerts(clients.sns(), clients.events(), TOPIC)
    memory, incidents = SweepItems(dynamodb, TABLE), Incidents(dynamodb, TABLE)
    place, crowds = "/".join(TOPIC.split(":")[4:2:-1]), CrowdItems(dynamodb, TABLE)
    workflows, (hub, ocsf) = StateMachines(clients.step_functions(), ARNS), elsewhere()
    report = Reporter(incidents, alerts, crowds=crowds, hub=hub, ocsf=ocsf).report
    known, meant = AccessState(dynamodb, TABLE), Suppressions(dynamodb, TABLE).documents
    close = Closing(OpenIncidents(dynamodb, TABLE), known, meant, report).run
    digest = Digest(meant, known.load, secrets.halted)
    ports = (secrets, trails, memory, incidents, report, workflows, place, crowds)
    return Sweep(*ports, close=close, digest=digest).run(deadline)


handler = sweep_handler(go_on)
