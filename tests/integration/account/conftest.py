"""The account as its users have it: a process of its own on a free port, reached by boto3."""

from __future__ import annotations

import io
import json
import sys
import textwrap
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.running_account import RunningAccount

from .rotated import Rotated

REGION = "us-east-1"
# The Lambda environment is made from the Python that runs the tests.
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
NOBODY = {"Version": "2012-10-17", "Statement": []}


def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """What `condition` returns once it is true; fails the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        time.sleep(0.02)
    return result


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def message_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Message"])


def zipped(files: Mapping[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, textwrap.dedent(text))
    return content.getvalue()


@dataclass
class Account:
    """A running account with what tests need in it, made in a call each."""

    running: RunningAccount

    def client(self, service: str, session: boto3.Session | None = None) -> Any:
        """Root's client, or that of a session."""
        if session is None:
            return self.running.client(service)
        make: Any = session.client
        return make(service, endpoint_url=self.running.endpoint)

    def control(self, route: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self.running.control(route, body)

    def service_events(self, secret_arn: str) -> list[dict[str, Any]]:
        """CloudTrail's service events about this secret so far."""
        records = self.control("records")["records"]
        return [
            record
            for record in records
            if record.get("eventType") == "AwsServiceEvent" and secret_arn in json.dumps(record)
        ]

    def role(self, service: str, *statements: Mapping[str, Any]) -> str:
        """The ARN of a new role that a service assumes and that may do what is stated."""
        name = f"role-{uuid.uuid4().hex[:8]}"
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        role = self.client("iam").create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps({**NOBODY, "Statement": [trust]})
        )
        if statements:
            self.client("iam").put_role_policy(
                RoleName=name,
                PolicyName="inline",
                PolicyDocument=json.dumps({**NOBODY, "Statement": list(statements)}),
            )
        return str(role["Role"]["Arn"])

    def user(self, *statements: Mapping[str, Any]) -> boto3.Session:
        """A session of a new user that may do what is stated."""
        iam, name = self.client("iam"), f"user-{uuid.uuid4().hex[:8]}"
        iam.create_user(UserName=name)
        if statements:
            iam.put_user_policy(
                UserName=name,
                PolicyName="inline",
                PolicyDocument=json.dumps({**NOBODY, "Statement": list(statements)}),
            )
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)

    def function(
        self,
        source: str,
        *statements: Mapping[str, Any],
        invoked_by: str | None = "secretsmanager.amazonaws.com",
        **settings: Any,
    ) -> str:
        """The ARN of a new function whose app.py is `source`."""
        name = f"function-{uuid.uuid4().hex[:8]}"
        arn: str = self.client("lambda").create_function(
            **{
                "FunctionName": name,
                "Runtime": RUNTIME,
                "Handler": "app.handler",
                "Role": self.role("lambda.amazonaws.com", *statements),
                "Code": {"ZipFile": zipped({"app.py": source})},
                "Timeout": 10,
                **settings,
            }
        )["FunctionArn"]
        if invoked_by:
            self.client("lambda").add_permission(
                FunctionName=name,
                StatementId="rotation",
                Action="lambda:InvokeFunction",
                Principal=invoked_by,
            )
        return arn

    def invoke(self, function: str, event: Any = None) -> tuple[Any, str | None]:
        """The payload, and `Unhandled` if the function failed."""
        answer = self.client("lambda").invoke(
            FunctionName=function, Payload=json.dumps(event or {})
        )
        return json.loads(answer["Payload"].read()), answer.get("FunctionError")


@pytest.fixture(scope="session")
def account() -> Iterator[Account]:
    """An account of these tests' own, because they move its clock."""
    with RunningAccount({"REKEY_ROTATION_DELAYS": "0"}) as running:
        yield Account(running)


@pytest.fixture
def name() -> str:
    """A name that nothing in the account has yet."""
    return f"test/{uuid.uuid4().hex[:12]}"


@pytest.fixture
def secrets(account: Account) -> Any:
    return account.client("secretsmanager")


@pytest.fixture
def rotated(account: Account, name: str) -> Callable[..., Rotated]:
    """Makes a secret under rotation, whose rotation is tried three times without a pause."""
    account.control("rotation", {"attempts": 3, "delays": [0]})
    return lambda **plan: Rotated(account, name, **plan)
