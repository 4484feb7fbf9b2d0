"""Superuser secrets: one's own, and those that RDS manages, on the account of this machine."""

import json
import secrets
from typing import Any

import pytest

from local.running_account import RunningAccount
from rekey.aws.secrets_manager import SecretsManager
from rekey.aws.superusers import Superusers
from rekey.credential import Credential
from rekey.errors import InvalidSecretValue, SecretNotFound, SecretsManagerFailure

CURRENT = Credential.parse(
    json.dumps(
        {
            "engine": "aurora-postgresql",
            "host": "h",
            "username": "app",
            "password": "p",
            "dbname": "d",
        }
    ),
    what="AWSCURRENT",
)
MANAGED = {"username": "postgres", "password": "superuser's"}


def create(account: RunningAccount, document: dict[str, Any], **tags: str) -> str:
    answer = account.client("secretsmanager").create_secret(
        Name=f"superuser-{secrets.token_hex(6)}",
        SecretString=json.dumps(document),
        Tags=[{"Key": key.replace("_", ":"), "Value": value} for key, value in tags.items()],
    )
    return str(answer["ARN"])


def read(account: RunningAccount, arn: str) -> Credential:
    store = SecretsManager(account.client("secretsmanager"))
    return Superusers(store, lambda: account.client("rds")).superuser(arn, CURRENT)


def test_a_secret_of_one_s_own_is_read_for_the_application_s_database(
    account: RunningAccount,
) -> None:
    document = {**MANAGED, "engine": "postgres", "host": "x", "port": 5433, "dbname": "other"}
    superuser = read(account, create(account, document))
    assert (superuser.host, superuser.port, superuser.dbname) == ("x", 5433, "d")


def test_an_instance_s_address_comes_from_rds(account: RunningAccount) -> None:
    instance = account.client("rds").create_db_instance(
        DBInstanceIdentifier=f"db-{secrets.token_hex(4)}",
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        Port=5444,
        MasterUsername="postgres",
        MasterUserPassword=secrets.token_urlsafe(16),
        AllocatedStorage=20,
    )["DBInstance"]
    arn = create(account, MANAGED, aws_rds_primaryDBInstanceArn=instance["DBInstanceArn"])
    superuser = read(account, arn)
    assert (superuser.host, superuser.port) == (instance["Endpoint"]["Address"], 5444)
    assert (superuser.engine, superuser.username) == ("aurora-postgresql", "postgres")
    assert superuser.tls


def test_a_cluster_s_writer_comes_from_rds(account: RunningAccount) -> None:
    cluster = account.client("rds").create_db_cluster(
        DBClusterIdentifier=f"c-{secrets.token_hex(4)}",
        Engine="aurora-postgresql",
        Port=5445,
        MasterUsername="postgres",
        MasterUserPassword=secrets.token_urlsafe(16),
    )["DBCluster"]
    arn = create(account, MANAGED, aws_rds_primaryDBClusterArn=cluster["DBClusterArn"])
    superuser = read(account, arn)
    assert (superuser.host, superuser.port) == (cluster["Endpoint"], 5445)


def test_a_secret_that_nothing_ties_to_a_server_is_refused(account: RunningAccount) -> None:
    with pytest.raises(InvalidSecretValue, match="engine and host"):
        read(account, create(account, MANAGED))


def test_an_instance_that_is_gone_is_told_as_such(account: RunningAccount) -> None:
    gone = "arn:aws:rds:us-east-1:000000000000:db:gone"
    with pytest.raises(SecretsManagerFailure, match="RDS"):
        read(account, create(account, MANAGED, aws_rds_primaryDBInstanceArn=gone))


def test_a_secret_that_does_not_exist_is_not_found(account: RunningAccount) -> None:
    with pytest.raises(SecretNotFound):
        read(account, "arn:aws:secretsmanager:us-east-1:000000000000:secret:none-AbCdEf")
