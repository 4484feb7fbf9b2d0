"""What operators tell the watch over readers, with the rights that the document gives."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.toolchain import CHECKOUT
from tests.conftest import Deployed
from tests.documents import blocks, document, section
from tests.end_to_end.application import wait_for
from tests.end_to_end.test_access import Subscriber, stranger, subscriber

__all__ = ["subscriber"]

(POLICY,) = blocks(
    section(document("permissions.md"), "## What people need who teach the watch"), "json"
)
ALLOWED = {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}
THREE_WEEKS = timedelta(days=21)
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%d")


@dataclass
class Operator:
    """A user of the account with a policy of the document."""

    deployed: Deployed
    key: dict[str, str]

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run a command; its status, and what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "local.access", *words],
            cwd=CHECKOUT,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(CHECKOUT / "layers" / "rekey"),
                "PYTHONDONTWRITEBYTECODE": "1",
                "AWS_ENDPOINT_URL": self.deployed.account.endpoint,
                "AWS_ACCESS_KEY_ID": self.key["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": self.key["SecretAccessKey"],
                "AWS_DEFAULT_REGION": "us-east-1",
                "COLUMNS": "200",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr


def operator(deployed: Deployed, policy: str) -> Operator:
    """Who has this policy, about the deployed stack."""
    dynamodb, account = deployed.account.client("dynamodb"), "000000000000"
    (table,) = [name for name in dynamodb.list_tables()["TableNames"] if "StateTable" in name]
    here = policy.replace("eu-central-1:111122223333", f"us-east-1:{account}")
    here = re.sub(r"table/[\w-]+", f"table/{table}", here)
    iam, name = deployed.account.client("iam"), f"operator-{secrets.token_hex(4)}"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="operate", PolicyDocument=here)
    return Operator(deployed, iam.create_access_key(UserName=name)["AccessKey"])


def read_before(deployed: Deployed, secret: str) -> str:
    """Have a role read a secret three weeks ago, as CloudTrail records it; the role's name.

    The record is that of a real read of another secret, moved.
    """
    manager = deployed.account.client("secretsmanager")
    other = manager.create_secret(Name=f"other/{secrets.token_hex(4)}", SecretString="x")["ARN"]
    since = deployed.account.control("records")["next"]
    reader = stranger(deployed.account, ALLOWED)
    reader.boto3.get_secret_value(SecretId=other)
    records = deployed.account.control(f"records?after={since}")["records"]
    read = [r for r in records if other in json.dumps(r["requestParameters"])]
    assert [r["eventName"] for r in read] == ["GetSecretValue", "Decrypt"]
    name, then = f"payments-{secrets.token_hex(4)}", datetime.now(UTC) - THREE_WEEKS
    text = json.dumps(read).replace(other, secret).replace(reader.name, name)
    moved: list[dict[str, Any]] = json.loads(text)
    for record in moved:
        record["eventTime"] = then.strftime("%Y-%m-%dT%H:%M:%SZ")
    deployed.account.control("records", {"records": moved})
    return name


@pytest.fixture
def secret(deployed: Deployed) -> str:
    name = f"prod/{secrets.token_hex(4)}"
    manager = deployed.account.client("secretsmanager")
    return str(manager.create_secret(Name=name, SecretString="x")["ARN"])


def test_who_read_before_the_install_is_known_and_a_stranger_is_told_at_once(
    deployed: Deployed, subscriber: Subscriber, secret: str
) -> None:
    usual = read_before(deployed, secret)
    status, said, failed = operator(deployed, POLICY).run("seed", "--until", YESTERDAY)
    assert (status, failed) == (0, "")
    assert "Nobody was told anything" in said
    reader = stranger(deployed.account, ALLOWED)
    reader.boto3.get_secret_value(SecretId=secret)
    text = json.dumps(wait_for(lambda: subscriber.about(reader.role, secret), "an alert"))
    assert f"role/{usual}" in text
    assert not [one for one in subscriber.messages if f'"{usual}' in json.dumps(one)]
