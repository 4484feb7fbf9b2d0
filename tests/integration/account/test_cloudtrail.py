"""The account's CloudTrail records have the shape of real ones and hold nothing secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.exceptions import ClientError

from .conftest import REGION, Account, code_of
from .trail import Record, Trail, shape

DATA = Path(__file__).parent / "data"
ANYTHING = {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}
TAGGED = [{"Key": "tag-key", "Values": ["any"]}]

Call = Callable[[Any, str], Any]


def real(path: str) -> Record:
    record: Record = json.loads((DATA / path).read_text())
    return record


def key_of(user: boto3.Session) -> str:
    credentials = user.get_credentials()
    assert credentials is not None
    return str(credentials.access_key)


@pytest.fixture
def trail(account: Account) -> Trail:
    return Trail.from_now(account)


@pytest.fixture
def secret(secrets: Any, name: str) -> str:
    """The ARN of a secret with a value."""
    return str(secrets.create_secret(Name=name, SecretString="first")["ARN"])


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("get_secret_value", lambda client, arn: client.get_secret_value(SecretId=arn)),
        ("list_secrets", lambda client, _: client.list_secrets(Filters=TAGGED, MaxResults=100)),
        (
            "batch_get_secret_value",
            lambda client, _: client.batch_get_secret_value(Filters=TAGGED),
        ),
    ],
)
def test_a_read_is_recorded_as_on_aws(
    account: Account, secret: str, trail: Trail, path: str, call: Call
) -> None:
    user = account.user(ANYTHING)
    expected = real(f"stratus-red-team/{path}.json")
    call(account.client("secretsmanager", user), secret)
    assert shape(trail.one(expected["eventName"], key_of(user))) == shape(expected)


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("get_secret_value", lambda client, name: client.get_secret_value(SecretId=name)),
        ("describe_secret", lambda client, name: client.describe_secret(SecretId=name)),
        ("list_secrets", lambda client, _: client.list_secrets()),
    ],
)
def test_a_denial_is_recorded_as_on_aws(
    account: Account, name: str, trail: Trail, path: str, call: Call
) -> None:
    user = account.user()
    expected = real(f"traildiscover/{path}_denied.json")
    with pytest.raises(ClientError):
        call(account.client("secretsmanager", user), name)
    record = trail.one(expected["eventName"], key_of(user))
    assert shape(record) == shape(expected)
    assert record["errorCode"] == expected["errorCode"]
    assert record["requestParameters"] is None
    assert _without_names(record, name) == _without_names(expected, "TrailDiscover")


def _without_names(record: Record, secret_name: str) -> str:
    """The text of a denial; TrailDiscover's samples call their secrets so, or so with SecretId."""
    text: str = record["errorMessage"].replace(record["userIdentity"]["arn"], "CALLER")
    return text.replace(f"{secret_name}SecretId", "SECRET").replace(secret_name, "SECRET")


@pytest.mark.parametrize("part", ["name", "whole ARN", "ARN without its ending"])
def test_a_denial_names_the_secret_as_the_caller_did(
    account: Account, secret: str, name: str, trail: Trail, part: str
) -> None:
    sent = {"name": name, "whole ARN": secret}.get(part, secret.rpartition("-")[0])
    client = account.client("secretsmanager", account.user())
    with pytest.raises(ClientError, match=f"on resource: {sent} because") as refused:
        client.get_secret_value(SecretId=sent)
    record = trail.one("GetSecretValue", sent)
    assert record["errorMessage"] == refused.value.response["Error"]["Message"]
    assert record["requestID"] == refused.value.response["ResponseMetadata"]["RequestId"]


def test_an_explicit_deny_is_told_from_a_missing_allow(
    account: Account, secret: str, trail: Trail
) -> None:
    deny = {"Effect": "Deny", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    client = account.client("secretsmanager", account.user(ANYTHING, deny))
    with pytest.raises(ClientError):
        client.get_secret_value(SecretId=secret)
    ending = f"on resource: {secret} with an explicit deny in an identity-based policy"
    assert trail.one("GetSecretValue", secret)["errorMessage"].endswith(ending)


def test_a_role_session_names_the_role_that_issued_it(
    account: Account, secret: str, trail: Trail
) -> None:
    function = account.function(
        """
        import boto3
        def handler(event, context):
            boto3.client("secretsmanager").get_secret_value(SecretId=event["SecretId"])
        """,
        ANYTHING,
    )
    role = account.client("lambda").get_function(FunctionName=function)["Configuration"]["Role"]
    account.invoke(function, {"SecretId": secret})
    identity = trail.one("GetSecretValue", secret)["userIdentity"]
    issuer = identity["sessionContext"]["sessionIssuer"]
    session = function.rpartition(":")[2]
    assert identity["type"] == "AssumedRole"
    assert identity["arn"].endswith(f":assumed-role/{issuer['userName']}/{session}")
    assert identity["principalId"] == f"{issuer['principalId']}:{session}"
    assert issuer["arn"] == role
    assert issuer["principalId"].startswith("AROA")
    assert identity["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"


def test_a_caller_of_rotate_secret_needs_the_function_too(
    account: Account, secret: str, trail: Trail
) -> None:
    function = account.function("def handler(event, context): return 1")
    client = account.client("secretsmanager", account.user(ANYTHING))
    needed = f"lambda:InvokeFunction on resource: {function} because"
    with pytest.raises(ClientError, match=needed):
        client.rotate_secret(SecretId=secret, RotationLambdaARN=function)
    assert needed in trail.one("RotateSecret", function)["errorMessage"]


def test_the_account_itself_is_root(secrets: Any, secret: str, trail: Trail) -> None:
    secrets.get_secret_value(SecretId=secret)
    identity = trail.one("GetSecretValue", secret)["userIdentity"]
    assert (identity["type"], identity["arn"]) == ("Root", "arn:aws:iam::000000000000:root")


def test_what_nobody_signed_is_in_no_trail(account: Account, secret: str, trail: Trail) -> None:
    stranger = boto3.Session("AKIAXXXXXXXXXXXXXXXX", "wrong", region_name=REGION)
    with pytest.raises(ClientError) as refused:
        account.client("secretsmanager", stranger).get_secret_value(SecretId=secret)
    assert code_of(refused) == "UnrecognizedClientException"
    assert trail.records("GetSecretValue", text=secret) == []


def test_version_and_stage_stand_in_a_record_only_if_they_were_sent(
    secrets: Any, secret: str, name: str, trail: Trail
) -> None:
    version = secrets.get_secret_value(SecretId=name)["VersionId"]
    secrets.get_secret_value(SecretId=secret, VersionId=version)
    secrets.get_secret_value(SecretId=secret, VersionStage="AWSCURRENT")
    records = trail.records("GetSecretValue", text=name)
    assert [record["requestParameters"] for record in records] == [
        {"secretId": name},
        {"secretId": secret, "versionId": version},
        {"secretId": secret, "versionStage": "AWSCURRENT"},
    ]


def test_a_read_makes_kms_decrypt_that_says_which_version(
    account: Account, secret: str, trail: Trail
) -> None:
    client = account.client("secretsmanager", account.user(ANYTHING))
    version = client.get_secret_value(SecretId=secret)["VersionId"]
    read, decrypt = trail.one("GetSecretValue", secret), trail.one("Decrypt", secret)
    context = {"SecretARN": secret, "SecretVersionId": version}
    service = "secretsmanager.amazonaws.com"
    assert decrypt["requestParameters"]["encryptionContext"] == context
    assert decrypt["userIdentity"] == {**read["userIdentity"], "invokedBy": service}
    assert decrypt["eventTime"] == read["eventTime"]
    assert decrypt["requestID"] != read["requestID"]
    assert decrypt["eventSource"] == "kms.amazonaws.com"
    assert decrypt["sourceIPAddress"] == decrypt["userAgent"] == service
    assert decrypt["readOnly"] is True
    assert decrypt["resources"][0]["type"] == "AWS::KMS::Key"


def test_a_batch_makes_kms_decrypt_for_every_secret(
    secrets: Any, secret: str, name: str, trail: Trail
) -> None:
    other = secrets.create_secret(Name=f"{name}-other", SecretString="other")["ARN"]
    secrets.batch_get_secret_value(SecretIdList=[secret, other])
    decrypted = [
        record["requestParameters"]["encryptionContext"]["SecretARN"]
        for record in trail.records("Decrypt", text=name)
    ]
    assert sorted(decrypted) == sorted([secret, other])


def test_a_read_that_failed_decrypts_nothing(secrets: Any, name: str, trail: Trail) -> None:
    with pytest.raises(ClientError):
        secrets.get_secret_value(SecretId=name)
    record = trail.one("GetSecretValue", name)
    assert record["errorCode"] == "ResourceNotFoundException"
    assert record["requestParameters"] == {"secretId": name}
    assert trail.records("Decrypt", text=name) == []


def test_a_write_shows_names_and_labels_and_never_the_value(
    secrets: Any, secret: str, trail: Trail
) -> None:
    version = secrets.put_secret_value(
        SecretId=secret, SecretString="second", VersionStages=["AWSPENDING"]
    )["VersionId"]
    record = trail.one("PutSecretValue", secret)
    assert record["readOnly"] is False
    assert record["requestParameters"] == {
        "secretId": secret,
        "clientRequestToken": version,
        "versionStages": ["AWSPENDING"],
    }
    assert record["responseElements"] == {"arn": secret}
    encryption = trail.one("GenerateDataKey", secret)["requestParameters"]
    assert encryption["encryptionContext"] == {"SecretARN": secret, "SecretVersionId": version}


def test_calls_of_the_query_protocol_show_their_parameters(account: Account, trail: Trail) -> None:
    tags = [{"Key": "first", "Value": "1"}, {"Key": "second", "Value": "2"}]
    account.client("sns").create_topic(Name="topic-of-trail", Tags=tags)
    assert trail.one("CreateTopic", "topic-of-trail")["requestParameters"] == {
        "name": "topic-of-trail",
        "tags": [{"key": "first", "value": "1"}, {"key": "second", "value": "2"}],
    }


def test_the_data_plane_is_not_recorded(account: Account, name: str, trail: Trail) -> None:
    sqs, s3, plain = account.client("sqs"), account.client("s3"), name.replace("/", "-")
    queue = sqs.create_queue(QueueName=plain)["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="body")
    sqs.receive_message(QueueUrl=queue)
    s3.create_bucket(Bucket=plain)
    s3.put_object(Bucket=plain, Key="key", Body=b"content")
    s3.list_objects_v2(Bucket=plain)
    account.client("cloudwatch").put_metric_data(
        Namespace="Rekey", MetricData=[{"MetricName": "any", "Value": 1}]
    )
    account.client("events").put_events(
        Entries=[{"Source": "own", "DetailType": "any", "Detail": "{}"}]
    )
    function = account.function("def handler(event, context): return 1", invoked_by=None)
    account.invoke(function)
    by_root = trail.records(text="'type': 'Root'")
    recorded = {record["eventName"] for record in by_root}
    assert recorded == {"CreateQueue", "CreateBucket", "CreateRole", "CreateFunction"}


def test_no_record_holds_a_secret_value(account: Account, name: str) -> None:
    """Every way by which a value or a token enters or leaves the account."""
    canary, trail, secrets = (
        "canary-7f3a",
        Trail.from_now(account),
        account.client("secretsmanager"),
    )
    secret = secrets.create_secret(Name=name, SecretString=canary)["ARN"]
    secrets.put_secret_value(
        SecretId=secret, SecretString=canary + "2", RotationToken=canary + "-rotation-token" * 3
    )
    secrets.put_secret_value(SecretId=secret, SecretBinary=canary.encode())
    secrets.update_secret(SecretId=secret, SecretString=canary)
    secrets.get_secret_value(SecretId=secret)
    secrets.batch_get_secret_value(SecretIdList=[secret])
    with pytest.raises(ClientError):
        account.client("secretsmanager", account.user()).put_secret_value(
            SecretId=secret, SecretString=canary
        )
    drawn = secrets.get_random_password()["RandomPassword"]
    account.client("ssm").put_parameter(Name=f"/{name}", Value=canary, Type="SecureString")
    function = account.function(
        "def handler(event, context): return event",
        Environment={"Variables": {"PASSWORD": canary}},
    )
    account.invoke(function, {"password": canary})
    iam = account.client("iam")
    iam.create_user(UserName="canary-user")
    access_key = iam.create_access_key(UserName="canary-user")["AccessKey"]["SecretAccessKey"]
    everything = json.dumps(trail.records())
    assert "PutSecretValue" in everything
    for value in (canary, quote(canary), drawn, json.dumps(drawn)[1:-1], access_key):
        assert value not in everything


def test_what_secrets_manager_does_on_its_own_is_a_service_event(
    account: Account, secrets: Any, secret: str, trail: Trail
) -> None:
    function = account.function("def handler(event, context): raise ValueError('no')")
    account.control("rotation", {"attempts": 1, "delays": [0]})
    token = secrets.rotate_secret(SecretId=secret, RotationLambdaARN=function)["VersionId"]
    failed = trail.one("RotationFailed", secret)
    started = trail.one("RotationStarted", secret)
    assert failed["errorMessage"] == (
        f"Error when executing lambda {function} during createSecret step"
    )
    assert failed["requestID"] == f"Rotation-{secret}-{token}"
    for event in (started, failed):
        assert event["additionalEventData"] == {"SecretId": secret}
        assert event["eventType"] == "AwsServiceEvent"
        assert event["readOnly"] is False
        assert event["userIdentity"] == {
            "accountId": "000000000000",
            "invokedBy": "secretsmanager.amazonaws.com",
        }


def test_records_are_read_on_from_where_the_last_answer_ended(
    account: Account, secrets: Any, secret: str
) -> None:
    first = Trail.from_now(account)
    secrets.describe_secret(SecretId=secret)
    position = account.control(f"records?after={first.start}")["next"]
    secrets.list_secret_version_ids(SecretId=secret)
    later = Trail(account, position).records(text=secret)
    assert [record["eventName"] for record in later] == ["ListSecretVersionIds"]
