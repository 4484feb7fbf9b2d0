"""A queue feeds this function with records of reads; it tells people of the unusual ones."""

from rekey.access.asn import asn_lookup
from rekey.access.intake import Intake
from rekey.access.telling import People
from rekey.access.thresholds import Thresholds
from rekey.access.watch import Watch
from rekey.alerts.finding import owner_of
from rekey.alerts.report import Reporter
from rekey.aws import clients, environment
from rekey.aws.access_account import AccessAccount
from rekey.aws.access_state import AccessState
from rekey.aws.alerts import Alerts, elsewhere
from rekey.aws.asn_tables import asns
from rekey.aws.gathered import gathered_handler
from rekey.aws.incidents import Incidents
from rekey.aws.open_incidents import OpenIncidents
from rekey.aws.owners import owners
from rekey.aws.secrets_manager import SecretsManager
from rekey.known import DAY

TABLE, TOPIC = environment.state_table(), environment.alerts_topic_arn()
SECRETS, STATE = clients.secrets_manager(), clients.dynamodb()
FUNCTIONS, IAM = clients.lambda_functions(), clients.iam()

account = AccessAccount(SECRETS, FUNCTIONS, IAM, STATE, TABLE, ours=environment.our_roles())
channel = Alerts(clients.sns(), clients.events(), TOPIC)
owner = owners(SecretsManager(SECRETS), owner_of)
hub, ocsf = elsewhere()
reporter = Reporter(Incidents(STATE, TABLE), channel, owner, hub=hub, ocsf=ocsf)
people = People(reporter, OpenIncidents(STATE, TABLE))
learning, grace = environment.learning_days() * DAY, environment.grace_seconds()
thresholds = Thresholds(learning=learning, grace=grace)
watch = Watch(AccessState(STATE, TABLE), account, people, thresholds)
asn_of = asns(asn_lookup, configured=environment.asn_table())
handler = gathered_handler(Intake(watch, account, asn_of).take)
