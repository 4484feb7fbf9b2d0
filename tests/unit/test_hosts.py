"""Which hosts a rotation takes."""

import json

import pytest

from rekey.credential import Credential
from rekey.errors import InvalidSecretValue
from rekey.rotation.guards import check_host


def credential(host: str) -> Credential:
    value = {"engine": "postgres", "host": host, "username": "app", "password": "invented"}
    return Credential.parse(json.dumps(value), what="AWSCURRENT")


@pytest.mark.parametrize(
    "host",
    [
        "app.proxy-1a2b3c4d5e6f.eu-west-1.rds.amazonaws.com",
        "APP.Proxy-1A2B3C4D5E6F.eu-west-1.RDS.amazonaws.com.",
        "readers.endpoint.proxy-1a2b3c4d5e6f.us-gov-west-1.rds.amazonaws.com",
        "app.proxy-1a2b3c4d5e6f.cn-north-1.rds.amazonaws.com.cn",
    ],
)
def test_the_endpoint_of_an_rds_proxy_is_refused_with_what_to_store(host: str) -> None:
    with pytest.raises(InvalidSecretValue, match="endpoint of the instance"):
        check_host(credential(host))


@pytest.mark.parametrize(
    "host",
    [
        "app.1a2b3c4d5e6f.eu-west-1.rds.amazonaws.com",
        "app.cluster-1a2b3c4d5e6f.eu-west-1.rds.amazonaws.com",
        "app.cluster-custom-1a2b3c4d5e6f.eu-west-1.rds.amazonaws.com",
        "proxy-1.db.example.com",
        "127.0.0.1",
    ],
)
def test_every_other_name_is_taken(host: str) -> None:
    check_host(credential(host))
