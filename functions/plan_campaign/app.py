"""The workflow rotate asks here what to rotate, and what follows from what became of it."""

from typing import Any

from rekey.aws import clients, environment
from rekey.aws.alarms import CloudWatchAlarms
from rekey.aws.campaign_documents import BucketDocuments
from rekey.aws.functions import LambdaFunctions
from rekey.aws.secrets_manager import SecretsManager
from rekey.aws.tasks import task_handler
from rekey.campaign.tasks import World, run

BUCKET = environment.campaign_bucket()


def task(event: dict[str, Any]) -> dict[str, Any]:
    """Join the decisions to the adapters."""
    secrets = SecretsManager(clients.secrets_manager())
    functions = LambdaFunctions(clients.lambda_functions())
    documents = BucketDocuments(clients.s3(), BUCKET)
    return run(World(secrets, functions, documents, CloudWatchAlarms(clients.cloudwatch())), event)


handler = task_handler(task)
