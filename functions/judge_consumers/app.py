"""A schedule and workflows ask this function who still uses a version that was replaced."""

import time

from rekey.access.follow_up import FollowUp
from rekey.access.renewal import Judge
from rekey.alerts.finding import owner_of
from rekey.alerts.report import Reporter
from rekey.aws import clients, environment
from rekey.aws.access_account import AccessAccount
from rekey.aws.access_state import AccessState
from rekey.aws.alerts import Alerts, elsewhere
from rekey.aws.crowds import CrowdItems
from rekey.aws.incidents import Incidents
from rekey.aws.owners import owners
from rekey.aws.secrets_manager import SecretsManager
from rekey.aws.tasks import task_handler

TABLE, TOPIC = environment.state_table(), environment.alerts_topic_arn()
SECRETS, STATE = clients.secrets_manager(), clients.dynamodb()
OURS, GRACE = environment.our_roles(), environment.grace_seconds()

account = AccessAccount(SECRETS, clients.lambda_functions(), clients.iam(), STATE, TABLE, ours=OURS)
store, state = SecretsManager(SECRETS), AccessState(STATE, TABLE)
alerts = Alerts(clients.sns(), clients.events(), TOPIC)
owner = owners(store, owner_of)
hub, ocsf = elsewhere()
incidents, crowds = Incidents(STATE, TABLE), CrowdItems(STATE, TABLE)
reporter = Reporter(incidents, alerts, owner, crowds, hub, ocsf)
judge = Judge(store, state, account, GRACE, time.time)
handler = task_handler(FollowUp(judge, reporter).run)
