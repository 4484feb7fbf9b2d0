"""The policies of docs/permissions.md for people who rotate, as they stand there."""

import json
import re
import secrets
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.postgres import Postgres
from rekey.model import Workflow
from tests.conftest import Deployed
from tests.documents import blocks, document, section
from tests.end_to_end.application import Application

OF_THE_WORKFLOW, POLICY = blocks(
    section(document("permissions.md"), "## What people need who rotate"), "json"
)


def client_of(app: Application, policy: dict[str, Any], service: str = "secretsmanager") -> Any:
    """A client for a new user who has this policy and no other."""
    account, name = app.deployed.account, f"person-{secrets.token_hex(4)}"
    iam = account.client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="rotate", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    make: Any = boto3.client  # its overloads want a literal
    return make(
        service,
        endpoint_url=account.endpoint,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )


def policy_for(app: Application) -> dict[str, Any]:
    """The document's policy, about this secret and the deployed function."""
    text = re.sub(r"arn:aws:secretsmanager:[^\"]+", app.arn, POLICY)
    text = re.sub(r"arn:aws:lambda:[^\"]+", app.deployed.rotation_function_arn, text)
    policy: dict[str, Any] = json.loads(text)
    return policy


def test_with_the_documented_policy_a_person_rotates(
    deployed: Deployed, postgres: Postgres
) -> None:
    app = Application(deployed, postgres)
    app.rotate_and_wait()
    since = deployed.account.control("records")["next"]
    client_of(app, policy_for(app)).rotate_secret(SecretId=app.arn)
    assert app.end(since)["eventName"] == "RotationSucceeded"


def test_with_the_right_to_start_the_workflow_a_person_rotates_and_nothing_else(
    deployed: Deployed, postgres: Postgres
) -> None:
    app = Application(deployed, postgres)
    app.rotate_and_wait()
    machine = deployed.state_machine_arn(Workflow.ROTATE)
    policy = json.loads(re.sub(r"arn:aws:states:[^\"]+", machine, OF_THE_WORKFLOW))
    with pytest.raises(ClientError, match="not authorized"):
        client_of(app, policy).rotate_secret(SecretId=app.arn)
    since = deployed.account.control("records")["next"]
    asked = json.dumps({"secretIds": [app.arn], "soakSeconds": 0})
    person = client_of(app, policy, "stepfunctions")
    person.start_execution(stateMachineArn=machine, input=asked)
    assert app.end(since)["eventName"] == "RotationSucceeded"


@pytest.mark.parametrize("left_out", [0, 1], ids=["the secret", "the function"])
def test_without_either_statement_a_person_does_not_rotate(
    deployed: Deployed, postgres: Postgres, left_out: int
) -> None:
    app = Application(deployed, postgres)
    app.rotate_and_wait()
    policy = policy_for(app)
    missing = policy["Statement"].pop(left_out)["Action"]
    with pytest.raises(ClientError, match=f"not authorized to perform: {missing}"):
        client_of(app, policy).rotate_secret(SecretId=app.arn)
