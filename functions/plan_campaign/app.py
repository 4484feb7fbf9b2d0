"""The workflow rotate asks here what to rotate, and what follows from what became of it."""

import time
from typing import Any

from rekey.access.renewal import Judge
from rekey.aws import clients, environment
from rekey.aws.access_account import AccessAccount
from rekey.aws.access_state import AccessState
from rekey.aws.alarms import CloudWatchAlarms
from rekey.aws.campaign_documents import BucketDocuments
from rekey.aws.functions import LambdaFunctions
from rekey.aws.secrets_manager import SecretsManager
from rekey.aws.tasks import task_handler
from rekey.campaign.tasks import World, run

BUCKET, TABLE = environment.campaign_bucket(), environment.state_table()
OURS, GRACE = environment.our_roles(), environment.grace_seconds()


def task(event: dict[str, Any]) -> dict[str, Any]:
    """Join the decisions to the adapters."""
    client, table = clients.secrets_manager(), clients.dynamodb()
    functions, secrets = clients.lambda_functions(), SecretsManager(client)
    account = AccessAccount(client, functions, clients.iam(), table, TABLE, ours=OURS)
    consumers = Judge(secrets, AccessState(table, TABLE), account, GRACE, time.time).judge
    documents, alarms = (
        BucketDocuments(clients.s3(), BUCKET),
        CloudWatchAlarms(clients.cloudwatch()),
    )
    return run(World(secrets, LambdaFunctions(functions), documents, alarms, consumers), event)


handler = task_handler(task)
