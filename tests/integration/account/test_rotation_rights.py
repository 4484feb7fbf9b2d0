"""Who may have a secret rotated, and what the function itself must allow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Account, code_of, message_of, until
from .rotated import Rotated


def test_rotation_needs_a_function(secrets: Any, name: str) -> None:
    secrets.create_secret(Name=name, SecretString="first")
    with pytest.raises(ClientError) as refused:
        secrets.rotate_secret(SecretId=name, RotationRules={"AutomaticallyAfterDays": 1})
    assert code_of(refused) == "InvalidRequestException"
    assert message_of(refused) == (
        "No Lambda rotation function ARN is associated with this secret."
    )


@pytest.mark.parametrize("principal", [None, "events.amazonaws.com"])
def test_a_function_that_does_not_allow_it_is_refused_and_nothing_is_stored(
    account: Account, secrets: Any, name: str, principal: str | None
) -> None:
    secrets.create_secret(Name=name, SecretString="first")
    function = account.function("def handler(event, context): pass", invoked_by=principal)
    with pytest.raises(ClientError) as refused:
        secrets.rotate_secret(
            SecretId=name,
            RotationLambdaARN=function,
            RotationRules={"AutomaticallyAfterDays": 1},
        )
    assert code_of(refused) == "AccessDeniedException"
    assert message_of(refused) == (
        "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function "
        "policy grants access to the principal secretsmanager.amazonaws.com."
    )
    described = secrets.describe_secret(SecretId=name)
    assert not {"RotationEnabled", "RotationRules", "RotationLambdaARN"} & described.keys()


@pytest.mark.parametrize("source_account", ["000000000000", "111111111111"])
def test_the_source_account_of_the_permission_counts(
    account: Account, secrets: Any, name: str, source_account: str
) -> None:
    secrets.create_secret(Name=name, SecretString="first")
    function = account.function("def handler(event, context): pass", invoked_by=None)
    account.client("lambda").add_permission(
        FunctionName=function,
        StatementId="rotation",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
        SourceAccount=source_account,
    )
    request = {"SecretId": name, "RotationLambdaARN": function}
    if source_account == "000000000000":
        assert secrets.rotate_secret(**request)["VersionId"]
    else:
        with pytest.raises(ClientError) as refused:
            secrets.rotate_secret(**request)
        assert code_of(refused) == "AccessDeniedException"


def test_whoever_asks_for_a_rotation_must_be_allowed_to_invoke_the_function(
    account: Account, rotated: Callable[..., Rotated]
) -> None:
    secret = rotated()
    may_rotate = {"Effect": "Allow", "Action": "secretsmanager:RotateSecret", "Resource": "*"}
    may_invoke = {
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Resource": secret.function,
    }
    request = {"SecretId": secret.arn, "RotationLambdaARN": secret.function}
    with pytest.raises(ClientError) as refused:
        account.client("secretsmanager", account.user(may_rotate)).rotate_secret(**request)
    assert code_of(refused) == "AccessDeniedException"
    assert "lambda:InvokeFunction" in message_of(refused)
    allowed = account.client("secretsmanager", account.user(may_rotate, may_invoke))
    token = allowed.rotate_secret(**request)["VersionId"]
    until(lambda: secret.is_at_rest_with(token))


def test_a_permission_that_is_gone_fails_the_rotation_under_way(
    rotated: Callable[..., Rotated],
) -> None:
    secret = rotated(wait=["createSecret"])
    secret.rotate()
    until(secret.steps)
    secret.account.client("lambda").remove_permission(
        FunctionName=secret.function, StatementId="rotation"
    )
    secret.go()
    until(lambda: secret.events()[-1] == "RotationFailed")
    failed = secret.account.service_events(secret.arn)[-1]
    assert failed["errorMessage"].endswith("during createSecret step")
