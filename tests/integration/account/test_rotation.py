"""The rotation engine does what Secrets Manager does between RotateSecret and its end."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial

import pytest
from botocore.exceptions import ClientError

from .conftest import Account, code_of, message_of, until
from .rotated import STEPS, Rotated


def test_a_rotation_calls_the_four_steps_and_promotes(rotated: Callable[..., Rotated]) -> None:
    secret = rotated()
    token = secret.rotate()
    until(lambda: secret.is_at_rest_with(token))
    events = secret.seen()
    assert [event["Step"] for event in events] == STEPS
    assert {event["SecretId"] for event in events} == {secret.arn}
    assert {event["ClientRequestToken"] for event in events} == {token}
    assert len({event["RotationToken"] for event in events}) == 1
    assert 36 <= len(events[0]["RotationToken"]) <= 256
    assert [event["value"] for event in events] == [None] + [f"value of {token}"] * 3
    assert secret.secrets.get_secret_value(SecretId=secret.name)["SecretString"] == (
        f"value of {token}"
    )


def test_the_answer_comes_at_once_and_the_pending_version_has_no_value(
    rotated: Callable[..., Rotated],
) -> None:
    secret = rotated(wait=["createSecret"])
    token = secret.rotate()
    assert secret.stages() == {secret.first: ["AWSCURRENT"], token: ["AWSPENDING"]}
    with pytest.raises(ClientError) as refused:
        secret.secrets.get_secret_value(SecretId=secret.name, VersionId=token)
    assert code_of(refused) == "ResourceNotFoundException"
    secret.go()
    until(lambda: secret.is_at_rest_with(token))


def test_three_rotations_in_a_row_need_the_configuration_once(
    rotated: Callable[..., Rotated],
) -> None:
    secret = rotated()
    for more in ({"RotationLambdaARN": secret.function}, {}, {}):
        token = secret.secrets.rotate_secret(SecretId=secret.name, **more)["VersionId"]
        until(partial(secret.is_at_rest_with, token))
        secret.first = token


def test_a_failed_step_repeats_the_whole_rotation_with_the_same_token(
    rotated: Callable[..., Rotated],
) -> None:
    secret = rotated(fail={"setSecret": 1})
    token = secret.rotate()
    until(lambda: secret.is_at_rest_with(token))
    assert secret.steps() == ["createSecret", "setSecret", *STEPS]
    assert {event["ClientRequestToken"] for event in secret.seen()} == {token}


def test_after_the_last_attempt_the_pending_version_stays_and_blocks(
    rotated: Callable[..., Rotated],
) -> None:
    secret = rotated(fail={"setSecret": 3})
    token = secret.rotate()
    until(secret.is_over)
    assert secret.steps() == ["createSecret", "setSecret"] * 3
    assert secret.stages() == {secret.first: ["AWSCURRENT"], token: ["AWSPENDING"]}
    with pytest.raises(ClientError) as refused:
        secret.rotate()
    assert code_of(refused) == "InvalidRequestException"
    assert message_of(refused) == (
        "A previous rotation isn't complete. That rotation will be reattempted."
    )


def test_a_rotation_that_failed_for_good_is_taken_up_again_when_one_is_asked_for(
    rotated: Callable[..., Rotated],
) -> None:
    secret = rotated(fail={"setSecret": 3})
    token = secret.rotate()
    until(secret.is_over)
    with pytest.raises(ClientError):
        secret.rotate()
    until(lambda: secret.is_at_rest_with(token))
    assert secret.steps()[6:] == STEPS


def test_the_same_token_again_starts_no_second_rotation(
    rotated: Callable[..., Rotated],
) -> None:
    secret, token = rotated(), str(uuid.uuid4())
    assert secret.rotate(ClientRequestToken=token) == token
    assert secret.rotate(ClientRequestToken=token) == token
    until(lambda: secret.is_at_rest_with(token))
    assert secret.rotate(ClientRequestToken=token) == token
    assert secret.steps() == STEPS


@pytest.mark.parametrize("call", ["put_secret_value", "update_secret"])
def test_a_value_of_somebody_else_abandons_the_rotation(
    rotated: Callable[..., Rotated], call: str
) -> None:
    secret = rotated(wait=["setSecret"])
    token = secret.rotate()
    until(lambda: "setSecret" in secret.steps())
    answer = getattr(secret.secrets, call)(SecretId=secret.name, SecretString="by hand")
    assert secret.stages() == {
        secret.first: ["AWSPREVIOUS"],
        answer["VersionId"]: ["AWSCURRENT"],
    }
    secret.go()
    every = secret.secrets.list_secret_version_ids(SecretId=secret.name, IncludeDeprecated=True)
    assert token in {version["VersionId"] for version in every["Versions"]}
    following = secret.secrets.rotate_secret(SecretId=secret.name)["VersionId"]
    until(lambda: secret.stages().get(following) == ["AWSCURRENT"])
    assert [e["Step"] for e in secret.seen() if e["ClientRequestToken"] == token] == STEPS[:2]


def test_cancelling_stops_the_work_and_leaves_the_pending_version(
    rotated: Callable[..., Rotated],
) -> None:
    secret = rotated(wait=["createSecret"])
    token = secret.rotate(RotationRules={"AutomaticallyAfterDays": 30})
    until(secret.steps)
    answer = secret.secrets.cancel_rotate_secret(SecretId=secret.name)
    assert answer["VersionId"] == token
    described = secret.secrets.describe_secret(SecretId=secret.name)
    assert described["RotationEnabled"] is False
    assert described["RotationRules"] == {"AutomaticallyAfterDays": 30}
    assert not {"NextRotationDate", "LastRotatedDate"} & described.keys()
    assert described["VersionIdsToStages"][token] == ["AWSPENDING"]
    secret.go()  # the step under way comes to its end, and no other follows
    until(partial(secret.has_value, token))
    with pytest.raises(ClientError) as refused:
        secret.rotate()
    assert "previous rotation" in message_of(refused)
    secret.secrets.update_secret_version_stage(
        SecretId=secret.name, VersionStage="AWSPENDING", RemoveFromVersionId=token
    )
    following = secret.rotate()
    until(lambda: secret.is_at_rest_with(following))


def test_a_function_that_promotes_nothing_has_not_rotated(
    rotated: Callable[..., Rotated],
) -> None:
    secret = rotated(idle=True)
    token = secret.rotate()
    until(secret.is_over)
    assert secret.steps() == STEPS * 3
    assert secret.stages() == {secret.first: ["AWSCURRENT"], token: ["AWSPENDING"]}
    assert "LastRotatedDate" not in secret.secrets.describe_secret(SecretId=secret.name)


def test_not_rotating_immediately_only_tests_with_the_current_value(
    rotated: Callable[..., Rotated],
) -> None:
    secret = rotated()
    token = secret.rotate(
        RotateImmediately=False, RotationRules={"ScheduleExpression": "rate(10 days)"}
    )
    until(lambda: secret.stages() == {secret.first: ["AWSCURRENT"]} and secret.steps())
    assert [(e["Step"], e["value"]) for e in secret.seen()] == [("testSecret", "first")]
    every = secret.secrets.list_secret_version_ids(SecretId=secret.name, IncludeDeprecated=True)
    assert token not in {version["VersionId"] for version in every["Versions"]}
    described = secret.secrets.describe_secret(SecretId=secret.name)
    assert described["RotationEnabled"] is True
    assert "NextRotationDate" in described
    assert "LastRotatedDate" not in described


def test_a_deleted_secret_is_not_rotated_any_more(rotated: Callable[..., Rotated]) -> None:
    secret = rotated(wait=["createSecret"])
    token = secret.rotate()
    until(secret.steps)
    secret.secrets.delete_secret(SecretId=secret.name)
    secret.go()
    with pytest.raises(ClientError) as refused:
        secret.rotate()
    assert "marked for deletion" in message_of(refused)
    secret.secrets.restore_secret(SecretId=secret.name)
    assert secret.stages()[token] == ["AWSPENDING"]
    assert secret.steps() == ["createSecret"]


def test_rotations_of_many_secrets_do_not_disturb_each_other(account: Account, name: str) -> None:
    secrets = [Rotated(account, f"{name}/{number}") for number in range(6)]
    tokens = [secret.rotate() for secret in secrets]
    for secret, token in zip(secrets, tokens, strict=True):
        until(partial(secret.is_at_rest_with, token))
        assert secret.steps() == STEPS
