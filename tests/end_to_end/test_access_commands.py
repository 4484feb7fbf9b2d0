"""What operators tell the watch over readers, with the rights that the document gives."""

from __future__ import annotations

import io
import json
import re
import secrets
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.access.__main__ import main
from rekey.aws.watched import SweepItems
from rekey.watched import Progress
from tests.conftest import Deployed
from tests.documents import blocks, document, section
from tests.end_to_end.application import wait_for
from tests.end_to_end.test_access import Subscriber, stranger, subscriber

__all__ = ["subscriber"]

TEXT = section(document("permissions.md"), "## What people need who teach the watch")
TO_LEARN, TO_SUPPRESS = blocks(TEXT, "json")
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
        said, failed = io.StringIO(), io.StringIO()
        settings = {
            "AWS_ENDPOINT_URL": self.deployed.account.endpoint,
            "AWS_ACCESS_KEY_ID": self.key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": self.key["SecretAccessKey"],
            "AWS_DEFAULT_REGION": "us-east-1",
            "COLUMNS": "200",
        }
        with pytest.MonkeyPatch.context() as environment:
            for name, value in settings.items():
                environment.setenv(name, value)
            with redirect_stdout(said), redirect_stderr(failed):
                status = main(words)
        return status, said.getvalue(), failed.getvalue()


def table(deployed: Deployed) -> str:
    names = deployed.account.client("dynamodb").list_tables()["TableNames"]
    return str(next(name for name in names if "StateTable" in name))


def operator(deployed: Deployed, policy: str) -> Operator:
    """Who has this policy, about the deployed stack."""
    here = policy.replace("eu-central-1:111122223333", "us-east-1:000000000000")
    here = re.sub(r"table/[\w-]+", f"table/{table(deployed)}", here)
    iam, name = deployed.account.client("iam"), f"operator-{secrets.token_hex(4)}"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="operate", PolicyDocument=here)
    return Operator(deployed, iam.create_access_key(UserName=name)["AccessKey"])


def read_before(deployed: Deployed, secret: str) -> str:
    """Have a role read a secret three weeks ago, as CloudTrail records it; the role's name.

    The record is that of a real read of another secret, moved: also to a network of its own, as
    other tests rely on that nobody is known to use this machine's.
    """
    manager = deployed.account.client("secretsmanager")
    other = manager.create_secret(Name=f"other/{secrets.token_hex(4)}", SecretString="x")["ARN"]
    since = deployed.account.control("records")["next"]
    reader = stranger(deployed.account, ALLOWED)
    reader.boto3.get_secret_value(SecretId=other)
    records = deployed.account.control(f"records?after={since}")["records"]
    read = [
        record
        for record in records
        if other in json.dumps(record["requestParameters"])
        and reader.name in json.dumps(record["userIdentity"])  # functions of the stack look at it
    ]
    assert [r["eventName"] for r in read] == ["GetSecretValue", "Decrypt"]
    name, then = f"payments-{secrets.token_hex(4)}", datetime.now(UTC) - THREE_WEEKS
    text = json.dumps(read).replace(other, secret).replace(reader.name, name)
    moved: list[dict[str, Any]] = json.loads(text)
    for record in moved:
        record["eventTime"] = then.strftime("%Y-%m-%dT%H:%M:%SZ")
        record["sourceIPAddress"] = "198.51.100.7"
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
    status, said, failed = operator(deployed, TO_LEARN).run("seed", "--until", YESTERDAY)
    assert (status, failed) == (0, "")
    assert "Nobody was told anything" in said
    reader = stranger(deployed.account, ALLOWED)
    reader.boto3.get_secret_value(SecretId=secret)
    text = json.dumps(wait_for(lambda: subscriber.about(reader.role, secret), "an alert"))
    assert f"role/{usual}" in text
    assert not [one for one in subscriber.messages if f'"{usual}' in json.dumps(one)]


def test_what_is_suppressed_is_listed_and_stands_in_the_weekly_digest(
    deployed: Deployed, subscriber: Subscriber
) -> None:
    ann, name = operator(deployed, TO_SUPPRESS), f"ci-{secrets.token_hex(4)}"
    meant = ("--owner", "ann", "--reason", "CI moves", "--days", "30", "--kind", "new-reader")
    who = ("--principal", "arn:aws:iam::*:role/ci-*")
    add = ("suppressions", "add", name, *meant, *who)
    assert ann.run(*add)[::2] == (0, "")
    status, _, why = ann.run(*add)
    assert (status, "Remove it first" in why) == (2, True)
    (listed,) = json.loads(ann.run("suppressions", "list", "--json")[1])
    assert (listed["name"], listed["owner"], listed["hidden"]) == (name, "ann", "nothing")

    dynamodb = deployed.account.client("dynamodb")
    last_week = datetime.now(UTC) - timedelta(days=7)
    SweepItems(dynamodb, table(deployed)).note(Progress(last_week, None))
    deployed.account.client("lambda").invoke(FunctionName="rekey-sweep-secrets", Payload=b"{}")
    told = wait_for(lambda: subscriber.about("weekly-digest", name), "the digest")
    assert "CI moves" in told["Message"]

    assert ann.run("suppressions", "remove", name)[::2] == (0, "")
    status, said, _ = ann.run("suppressions", "list")
    assert (status, said) == (0, "Nothing is suppressed.\n")
