"""Superuser credentials: secrets of one's own, and those that RDS manages.

A secret that RDS manages holds only user name and password. Where the server is stands in RDS;
which instance or cluster it is, in the secret's system tags.

Source: AWS User Guide for Amazon RDS, "Password management with Amazon RDS and AWS Secrets
Manager".
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from rekey.credential import Credential, parse_object
from rekey.errors import InvalidSecretValue, SecretsManagerFailure
from rekey.model import Label
from rekey.ports import SecretStore

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient

WHAT = "the superuser secret"
MANAGED_KEYS = frozenset({"username", "password"})
INSTANCE_TAG = "aws:rds:primarydbinstancearn"
CLUSTER_TAG = "aws:rds:primarydbclusterarn"
"""In small letters. RDS writes ``primaryDBInstanceArn`` (AWS managed policy
AmazonRDSServiceRolePolicy, Sid SecretsManagerTags); AWS's rotation templates take any letters."""


class Superusers:
    """See SuperuserSource. ``rds`` makes the client, which few rotations need."""

    def __init__(self, store: SecretStore, rds: Callable[[], "RDSClient"]) -> None:
        self._store = store
        self._rds = rds

    def superuser(self, arn: str, current: Credential) -> Credential:
        """See SuperuserSource. Its database is that of ``current``."""
        value = self._store.get_labelled(arn, Label.CURRENT).value
        document = parse_object(value, what=WHAT)
        if document.keys() == MANAGED_KEYS:
            document |= {"engine": current.engine, **self._endpoint(arn)}
        document["dbname"] = current.dbname
        return Credential.parse(json.dumps(document), what=WHAT)

    def _endpoint(self, arn: str) -> dict[str, Any]:
        tags = {key.lower(): value for key, value in self._store.describe(arn).tags.items()}
        if CLUSTER_TAG not in tags and INSTANCE_TAG not in tags:
            raise InvalidSecretValue(
                "The superuser secret holds only a user name and a password, and no tag says that "
                "RDS manages it. Add engine and host (docs/secret-format.md)."
            )
        try:
            if CLUSTER_TAG in tags:
                return _cluster(self._rds(), tags[CLUSTER_TAG])
            return _instance(self._rds(), tags[INSTANCE_TAG])
        except (ClientError, BotoCoreError) as error:
            raise SecretsManagerFailure(
                f"RDS did not tell where the superuser's server is: {error}"
            ) from None


def _cluster(rds: "RDSClient", arn: str) -> dict[str, Any]:
    cluster = rds.describe_db_clusters(DBClusterIdentifier=arn)["DBClusters"][0]
    return {"host": cluster["Endpoint"], "port": cluster["Port"]}


def _instance(rds: "RDSClient", arn: str) -> dict[str, Any]:
    instance = rds.describe_db_instances(DBInstanceIdentifier=arn)["DBInstances"][0]
    return {"host": instance["Endpoint"]["Address"], "port": instance["Endpoint"]["Port"]}
