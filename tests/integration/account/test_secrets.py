"""Secrets as a whole: what is described and listed, refused, deleted and who may see it."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from .conftest import Account, code_of, message_of


def test_what_was_never_set_is_not_described(secrets: Any, name: str) -> None:
    created = secrets.create_secret(Name=name, SecretString="value")
    described = secrets.describe_secret(SecretId=name)
    described.pop("ResponseMetadata")
    assert set(described) == {
        "ARN",
        "Name",
        "CreatedDate",
        "LastChangedDate",
        "VersionIdsToStages",
    }
    assert described["VersionIdsToStages"] == {created["VersionId"]: ["AWSCURRENT"]}


def test_an_arn_ends_with_six_characters_and_is_found_without_them(secrets: Any, name: str) -> None:
    arn = secrets.create_secret(Name=name, SecretString="value")["ARN"]
    assert len(arn.rpartition("-")[2]) == 6
    for secret_id in (name, arn, arn[:-7]):
        assert secrets.get_secret_value(SecretId=secret_id)["ARN"] == arn


def test_the_date_of_access_has_no_time_of_day(secrets: Any, name: str) -> None:
    secrets.create_secret(Name=name, SecretString="value")
    secrets.get_secret_value(SecretId=name)
    accessed = secrets.describe_secret(SecretId=name)["LastAccessedDate"]
    assert accessed.timestamp() % 86400 == 0


def test_tags_that_were_all_removed_are_an_empty_list(secrets: Any, name: str) -> None:
    secrets.create_secret(Name=name)
    assert "Tags" not in secrets.describe_secret(SecretId=name)
    tag = {"Key": "rekey:superuser", "Value": "true"}
    secrets.tag_resource(SecretId=name, Tags=[tag])
    assert secrets.describe_secret(SecretId=name)["Tags"] == [tag]
    secrets.untag_resource(SecretId=name, TagKeys=["rekey:superuser"])
    assert secrets.describe_secret(SecretId=name)["Tags"] == []


def test_creating_twice_is_refused_and_repeating_is_not(secrets: Any, name: str) -> None:
    request = {"Name": name, "SecretString": "value", "ClientRequestToken": str(uuid.uuid4())}
    first = secrets.create_secret(**request)
    assert secrets.create_secret(**request)["ARN"] == first["ARN"]
    with pytest.raises(ClientError) as refused:
        secrets.create_secret(Name=name, SecretString="value")
    assert code_of(refused) == "ResourceExistsException"
    assert message_of(refused) == (
        f"The operation failed because the secret {name} already exists."
    )


def test_a_name_that_is_being_deleted_cannot_be_used_before_it_is_gone(
    secrets: Any, name: str
) -> None:
    secrets.create_secret(Name=name, SecretString="value")
    secrets.delete_secret(SecretId=name)
    with pytest.raises(ClientError) as refused:
        secrets.create_secret(Name=name, SecretString="value")
    assert message_of(refused) == (
        "You can't create this secret because a secret with this name is already scheduled "
        "for deletion."
    )
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    assert secrets.create_secret(Name=name, SecretString="value")["Name"] == name


def test_forcing_the_deletion_of_what_is_not_there_succeeds(secrets: Any, name: str) -> None:
    answer = secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    assert answer["Name"] == name
    with pytest.raises(ClientError) as refused:
        secrets.delete_secret(SecretId=name)
    assert code_of(refused) == "ResourceNotFoundException"


@pytest.mark.parametrize("call", ["get_secret_value", "put_secret_value", "tag_resource"])
def test_a_secret_that_is_being_deleted_rests(secrets: Any, name: str, call: str) -> None:
    secrets.create_secret(Name=name, SecretString="value")
    secrets.delete_secret(SecretId=name)
    more: dict[str, dict[str, Any]] = {
        "put_secret_value": {"SecretString": "other"},
        "tag_resource": {"Tags": [{"Key": "a", "Value": "b"}]},
    }
    with pytest.raises(ClientError) as refused:
        getattr(secrets, call)(SecretId=name, **more.get(call, {}))
    assert code_of(refused) == "InvalidRequestException"
    assert message_of(refused) == (
        "You can't perform this operation on the secret because it was marked for deletion."
    )
    secrets.restore_secret(SecretId=name)
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "value"


@pytest.mark.parametrize("bad", ["Inv Name", " Inv*Name? ", "Inv\\Name"])
def test_a_name_with_other_characters_is_refused_everywhere(secrets: Any, bad: str) -> None:
    for call, request in (
        ("create_secret", {"Name": bad}),
        ("describe_secret", {"SecretId": bad}),
        ("rotate_secret", {"SecretId": bad}),
        ("validate_resource_policy", {"SecretId": bad, "ResourcePolicy": "{}"}),
    ):
        with pytest.raises(ClientError) as refused:
            getattr(secrets, call)(**request)
        assert code_of(refused) == "ValidationException"
        assert message_of(refused).startswith("Invalid name.")


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("CreateSecret", "InvalidRequestException"),
        ("PutSecretValue", "InvalidRequestException"),
        ("UpdateSecret", "InvalidRequestException"),
        ("RotateSecret", "InvalidParameterException"),
    ],
)
def test_a_request_without_a_token_is_refused(
    account: Account, name: str, action: str, code: str
) -> None:
    """SDKs add one, so this one is sent by hand."""
    client = account.client("secretsmanager")
    body = json.dumps({"Name": name, "SecretId": name, "SecretString": "value"})
    request = AWSRequest(
        "POST",
        f"{account.running.endpoint}/",
        {
            "X-Amz-Target": f"secretsmanager.{action}",
            "Content-Type": "application/x-amz-json-1.1",
        },
        body,
    )
    client._request_signer.sign(action, request)  # noqa: SLF001 - boto3 has no public signer
    answer = client._endpoint.http_session.send(request.prepare())  # noqa: SLF001 - as above
    content = json.loads(answer.content)
    assert (answer.status_code, content["__type"]) == (400, code)
    assert content["Message"].startswith("You must provide a ClientRequestToken value.")


def listed(secrets: Any, **request: Any) -> dict[str, dict[str, Any]]:
    pages = secrets.get_paginator("list_secrets").paginate(**request)
    return {entry["Name"]: entry for page in pages for entry in page["SecretList"]}


def test_a_listed_secret_carries_function_key_tags_dates_and_labels(
    account: Account, secrets: Any, name: str
) -> None:
    function = account.function("def handler(event, context): pass")
    version = secrets.create_secret(
        Name=name,
        SecretString="value",
        KmsKeyId="alias/own",
        Tags=[{"Key": "team", "Value": "payments"}],
    )["VersionId"]
    rules = {"ScheduleExpression": "rate(10 days)", "Duration": "2h"}
    secrets.rotate_secret(
        SecretId=name, RotationLambdaARN=function, RotationRules=rules, RotateImmediately=False
    )
    entry = listed(secrets, Filters=[{"Key": "name", "Values": [name]}])[name]
    assert entry["RotationEnabled"] is True
    assert entry["RotationLambdaARN"] == function
    assert entry["RotationRules"] == rules
    assert entry["KmsKeyId"] == "alias/own"
    assert entry["Tags"] == [{"Key": "team", "Value": "payments"}]
    assert entry["NextRotationDate"] > entry["CreatedDate"]
    assert entry["SecretVersionsToStages"][version] == ["AWSCURRENT"]


def test_lists_come_in_pages_and_leave_out_what_is_being_deleted(secrets: Any, name: str) -> None:
    names = [f"{name}/{number}" for number in range(5)]
    for each in names:
        secrets.create_secret(Name=each, SecretString="value")
    secrets.delete_secret(SecretId=names[0])
    mine = {"Filters": [{"Key": "name", "Values": [f"{name}/"]}], "MaxResults": 2}
    assert list(listed(secrets, **mine)) == names[1:]
    assert list(listed(secrets, **mine, IncludePlannedDeletion=True)) == names
    assert len(secrets.list_secrets(**mine)["SecretList"]) == 2
    with pytest.raises(ClientError) as refused:
        secrets.list_secrets(NextToken="not a token")
    assert code_of(refused) == "InvalidNextTokenException"


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("description", "a", {"one", "two", "three"}),
        ("description", "!a", {"four"}),
        ("description", "a secret", {"one", "two"}),
        ("description", "A SECRET", {"one", "two"}),
        ("tag-key", "te", {"one"}),
        ("tag-key", "TE", set()),
        ("tag-value", "pay", {"one"}),
    ],
)
def test_filters_are_prefixes_of_words_or_of_whole_attributes(
    secrets: Any, name: str, key: str, value: str, found: set[str]
) -> None:
    for each, text in (
        ("one", "a secret"),
        ("two", "an secret"),
        ("three", "asecret"),
        ("four", "thesecret"),
    ):
        tags = [{"Key": "team", "Value": "payments"}] if each == "one" else []
        secrets.create_secret(Name=f"{name}/{each}", Description=text, Tags=tags)
    filters = [{"Key": "name", "Values": [f"{name}/"]}, {"Key": key, "Values": [value]}]
    assert {n.rpartition("/")[2] for n in listed(secrets, Filters=filters)} == found


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"secretsmanager:ResourceTag/rekey:superuser": "true"}, True),
        ({"secretsmanager:ResourceTag/rekey:superuser": "false"}, False),
        ({"secretsmanager:resource/AllowRotationLambdaArn": "{function}"}, True),
        ({"secretsmanager:resource/AllowRotationLambdaArn": "{function}x"}, False),
    ],
)
def test_policies_can_ask_for_the_secrets_tags_and_rotation_function(
    account: Account, secrets: Any, name: str, condition: dict[str, str], allowed: bool
) -> None:
    function = account.function("def handler(event, context): pass")
    secrets.create_secret(
        Name=name, SecretString="value", Tags=[{"Key": "rekey:superuser", "Value": "true"}]
    )
    secrets.rotate_secret(SecretId=name, RotationLambdaARN=function, RotateImmediately=False)
    wanted = {key: value.format(function=function) for key, value in condition.items()}
    statement = {
        "Effect": "Allow",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
        "Condition": {"StringEquals": wanted},
    }
    reader = account.client("secretsmanager", account.user(statement))
    if allowed:
        assert reader.get_secret_value(SecretId=name)["SecretString"] == "value"
    else:
        with pytest.raises(ClientError) as refused:
            reader.get_secret_value(SecretId=name)
        assert code_of(refused) == "AccessDeniedException"


def test_many_values_are_read_at_once_and_what_is_missing_is_named(secrets: Any, name: str) -> None:
    secrets.create_secret(Name=name, SecretString="value")
    secrets.create_secret(Name=f"{name}-empty")
    answer = secrets.batch_get_secret_value(SecretIdList=[name, f"{name}-empty"])
    assert [value["SecretString"] for value in answer["SecretValues"]] == ["value"]
    assert [e["ErrorCode"] for e in answer["Errors"]] == ["ResourceNotFoundException"]
