"""IAM, enforced: what the function and Secrets Manager may not do."""

import io
import json
import secrets
import zipfile

import pytest
from botocore.exceptions import ClientError

from local.postgres import Postgres
from tests.conftest import Deployed
from tests.end_to_end.application import Application, retries


def test_the_function_cannot_read_a_secret_whose_rotation_it_does_not_serve(
    deployed: Deployed, postgres: Postgres
) -> None:
    app = Application(deployed, postgres)
    event = {"Step": "createSecret", "SecretId": app.arn, "ClientRequestToken": "t" * 36}
    answer = deployed.account.client("lambda").invoke(
        FunctionName=deployed.rotation_function_arn, Payload=json.dumps(event)
    )
    failure = json.load(answer["Payload"])
    assert answer["FunctionError"]
    assert failure["errorType"] == "SecretAccessDenied"
    denied = [r for r in app.records() if r["eventName"] == "DescribeSecret" and "errorCode" in r]
    assert [record["errorCode"] for record in denied] == ["AccessDenied"]


@pytest.mark.parametrize("tags", [{}, {"rekey:superuser": "false"}, {"rekey:superuser": "TRUE"}])
def test_a_superuser_secret_that_is_neither_tagged_nor_listed_cannot_be_read(
    deployed: Deployed, postgres: Postgres, tags: dict[str, str]
) -> None:
    app = Application(deployed, postgres, alternating=True, superuser_tags=tags)
    with retries(deployed, 1):
        assert app.rotate_and_wait()["eventName"] == "RotationFailed"
    (line,) = [line for line in app.log_lines() if line["step"] == "setSecret"]
    assert line["outcome"] == "SecretAccessDenied"
    assert "rekey:superuser = true" in line["reason"]
    assert app.logs_in("AWSCURRENT")


def test_secrets_manager_cannot_invoke_a_function_that_does_not_allow_it(
    deployed: Deployed, postgres: Postgres
) -> None:
    client = deployed.account.client("lambda")
    ours = client.get_function_configuration(FunctionName=deployed.rotation_function_arn)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): pass\n")
    closed = client.create_function(
        FunctionName=f"closed-{secrets.token_hex(4)}",
        Runtime=ours["Runtime"],
        Role=ours["Role"],
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
    )
    app = Application(deployed, postgres)
    with pytest.raises(ClientError, match="cannot invoke the specified Lambda function"):
        app.rotate(RotationLambdaARN=closed["FunctionArn"])
