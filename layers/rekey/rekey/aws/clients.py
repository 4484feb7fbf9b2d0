"""AWS clients, made once per execution environment and only when they are used.

They are botocore's, which are what boto3 hands out: boto3 itself would only add its transfer
manager for S3 to what every cold start loads.
"""

import functools
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_stepfunctions import SFNClient

CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
)
"""Seconds. The time to connect counts for each address, and an endpoint has one in each of up to
three zones: 18 s and the pauses between attempts, which is less than the function's time limit.
"""


@functools.cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@functools.cache
def secrets_manager() -> "SecretsManagerClient":
    """Return the client for Secrets Manager."""
    client = _session().create_client("secretsmanager", config=CONFIG)
    return cast("SecretsManagerClient", client)


@functools.cache
def rds() -> "RDSClient":
    """Return the client for RDS."""
    return cast("RDSClient", _session().create_client("rds", config=CONFIG))


@functools.cache
def lambda_functions() -> "LambdaClient":
    """Return the client for Lambda."""
    return cast("LambdaClient", _session().create_client("lambda", config=CONFIG))


@functools.cache
def step_functions() -> "SFNClient":
    """Return the client for Step Functions."""
    return cast("SFNClient", _session().create_client("stepfunctions", config=CONFIG))


@functools.cache
def sns() -> "SNSClient":
    """Return the client for SNS."""
    return cast("SNSClient", _session().create_client("sns", config=CONFIG))


@functools.cache
def events() -> "EventBridgeClient":
    """Return the client for EventBridge."""
    return cast("EventBridgeClient", _session().create_client("events", config=CONFIG))


@functools.cache
def dynamodb() -> Any:
    """Return the client for DynamoDB."""
    return _session().create_client("dynamodb", config=CONFIG)


@functools.cache
def cloudtrail() -> Any:
    """Return the client for CloudTrail."""
    return _session().create_client("cloudtrail", config=CONFIG)


@functools.cache
def security_hub() -> Any:
    """Return the client for Security Hub."""
    return _session().create_client("securityhub", config=CONFIG)


@functools.cache
def iam() -> "IAMClient":
    """Return the client for IAM."""
    return cast("IAMClient", _session().create_client("iam", config=CONFIG))


@functools.cache
def cloudwatch() -> "CloudWatchClient":
    """Return the client for CloudWatch."""
    return cast("CloudWatchClient", _session().create_client("cloudwatch", config=CONFIG))


@functools.cache
def s3() -> "S3Client":
    """Return the client for S3."""
    return cast("S3Client", _session().create_client("s3", config=CONFIG))
