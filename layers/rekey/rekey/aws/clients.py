"""Boto3 clients, made once per execution environment and only when they are used."""

import functools
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

CONFIG = Config(connect_timeout=3, read_timeout=5)
"""Seconds. Together with the retries, less than the function's time limit."""


@functools.cache
def secrets_manager() -> "SecretsManagerClient":
    """Return the client for Secrets Manager."""
    return boto3.client("secretsmanager", config=CONFIG)


@functools.cache
def rds() -> "RDSClient":
    """Return the client for RDS."""
    return boto3.client("rds", config=CONFIG)
