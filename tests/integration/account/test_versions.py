"""Versions and labels of a secret, as recordings of the real service show them."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Account, code_of, message_of

STAGES = "VersionIdsToStages"


def token() -> str:
    return str(uuid.uuid4())


def stages(secrets: Any, name: str) -> dict[str, list[str]]:
    """The labels of every version that has one."""
    return {
        version_id: sorted(labels)
        for version_id, labels in secrets.describe_secret(SecretId=name).get(STAGES, {}).items()
    }


def put(secrets: Any, name: str, value: str, *labels: str) -> str:
    extra = {"VersionStages": list(labels)} if labels else {}
    return str(secrets.put_secret_value(SecretId=name, SecretString=value, **extra)["VersionId"])


@pytest.fixture
def first(secrets: Any, name: str) -> str:
    """The first version of a fresh secret of that name."""
    return str(secrets.create_secret(Name=name, SecretString="first")["VersionId"])


def test_put_without_labels_makes_the_value_current_at_once(
    secrets: Any, name: str, first: str
) -> None:
    second = put(secrets, name, "second")
    assert stages(secrets, name) == {first: ["AWSPREVIOUS"], second: ["AWSCURRENT"]}


def test_a_version_that_has_lost_its_last_label_is_deprecated(
    secrets: Any, name: str, first: str
) -> None:
    second, third = put(secrets, name, "second"), put(secrets, name, "third")
    assert stages(secrets, name) == {second: ["AWSPREVIOUS"], third: ["AWSCURRENT"]}
    listed = secrets.list_secret_version_ids(SecretId=name)["Versions"]
    assert {version["VersionId"] for version in listed} == {second, third}
    every = secrets.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"]
    deprecated = [version for version in every if version["VersionId"] == first]
    assert "VersionStages" not in deprecated[0]
    assert deprecated[0]["KmsKeyIds"] == ["DefaultEncryptionKey"]


def test_the_same_token_with_the_same_value_changes_nothing(
    secrets: Any, name: str, first: str
) -> None:
    request = {"SecretId": name, "SecretString": "second", "ClientRequestToken": token()}
    before = secrets.put_secret_value(**request, VersionStages=["AWSPENDING"])
    again = secrets.put_secret_value(**request)
    assert again["VersionStages"] == before["VersionStages"] == ["AWSPENDING"]
    assert stages(secrets, name)[first] == ["AWSCURRENT"]


def test_the_same_token_with_another_value_is_refused(secrets: Any, name: str, first: str) -> None:
    with pytest.raises(ClientError) as refused:
        secrets.put_secret_value(SecretId=name, SecretString="other", ClientRequestToken=first)
    assert code_of(refused) == "ResourceExistsException"
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "first"


def test_update_with_a_token_in_use_is_refused_even_for_the_same_value(
    secrets: Any, name: str, first: str
) -> None:
    with pytest.raises(ClientError) as refused:
        secrets.update_secret(SecretId=name, SecretString="first", ClientRequestToken=first)
    assert code_of(refused) == "ResourceExistsException"


def test_custom_labels_move_to_the_newest_version_that_names_them(
    secrets: Any, name: str, first: str
) -> None:
    second = put(secrets, name, "second", "one", "two", "three")
    third = put(secrets, name, "third", "one", "two", "four")
    assert stages(secrets, name) == {
        first: ["AWSCURRENT"],
        second: ["three"],
        third: ["four", "one", "two"],
    }


def test_promotion_keeps_awspending_and_names_the_old_version_previous(
    secrets: Any, name: str, first: str
) -> None:
    second = put(secrets, name, "second", "AWSPENDING", "OWN")
    secrets.update_secret_version_stage(
        SecretId=name,
        VersionStage="AWSCURRENT",
        MoveToVersionId=second,
        RemoveFromVersionId=first,
    )
    assert stages(secrets, name) == {
        first: ["AWSPREVIOUS"],
        second: ["AWSCURRENT", "AWSPENDING", "OWN"],
    }


def test_awspending_goes_with_awscurrent_and_custom_labels_stay(
    secrets: Any, name: str, first: str
) -> None:
    second = put(secrets, name, "second", "AWSPENDING", "OWN")
    secrets.update_secret_version_stage(
        SecretId=name,
        VersionStage="AWSCURRENT",
        MoveToVersionId=second,
        RemoveFromVersionId=first,
    )
    third = put(secrets, name, "third")
    assert stages(secrets, name) == {second: ["AWSPREVIOUS", "OWN"], third: ["AWSCURRENT"]}


def test_moving_awscurrent_back_makes_the_bad_version_previous(
    secrets: Any, name: str, first: str
) -> None:
    second = put(secrets, name, "second")
    secrets.update_secret_version_stage(
        SecretId=name,
        VersionStage="AWSCURRENT",
        MoveToVersionId=first,
        RemoveFromVersionId=second,
    )
    assert stages(secrets, name) == {first: ["AWSCURRENT"], second: ["AWSPREVIOUS"]}


@pytest.mark.parametrize("named", ["nobody", "another"])
def test_a_label_moves_only_from_the_version_that_holds_it(
    secrets: Any, name: str, first: str, named: str
) -> None:
    second = put(secrets, name, "second", "AWSPENDING")
    before = stages(secrets, name)
    source = {} if named == "nobody" else {"RemoveFromVersionId": second}
    with pytest.raises(ClientError) as refused:
        secrets.update_secret_version_stage(
            SecretId=name, VersionStage="AWSCURRENT", MoveToVersionId=second, **source
        )
    assert code_of(refused) == "InvalidParameterException"
    if named == "nobody":
        assert f"currently attached to version {first}" in message_of(refused)
    assert stages(secrets, name) == before


def test_a_label_is_taken_off_without_a_target_but_never_awscurrent(
    secrets: Any, name: str, first: str
) -> None:
    second = put(secrets, name, "second", "AWSPENDING")
    secrets.update_secret_version_stage(
        SecretId=name, VersionStage="AWSPENDING", RemoveFromVersionId=second
    )
    assert stages(secrets, name) == {first: ["AWSCURRENT"]}
    with pytest.raises(ClientError) as refused:
        secrets.update_secret_version_stage(
            SecretId=name, VersionStage="AWSCURRENT", RemoveFromVersionId=first
        )
    assert code_of(refused) == "InvalidParameterException"


def test_a_version_without_the_asked_label_is_refused_by_name(
    secrets: Any, name: str, first: str
) -> None:
    with pytest.raises(ClientError) as refused:
        secrets.get_secret_value(SecretId=name, VersionId=first, VersionStage="AWSPENDING")
    assert code_of(refused) == "InvalidRequestException"
    assert message_of(refused) == (
        "You provided a VersionStage that is not associated to the provided VersionId."
    )


@pytest.mark.usefixtures("first")
def test_what_is_not_there_is_not_found_by_name(secrets: Any, name: str) -> None:
    unknown = token()
    for request, cause in (
        ({"VersionStage": "AWSPENDING"}, "staging label: AWSPENDING"),
        ({"VersionId": unknown}, f"VersionId: {unknown}"),
    ):
        with pytest.raises(ClientError) as refused:
            secrets.get_secret_value(SecretId=name, **request)
        assert code_of(refused) == "ResourceNotFoundException"
        assert message_of(refused).endswith(cause)


def test_a_secret_without_a_value_has_no_version(secrets: Any, name: str) -> None:
    created = secrets.create_secret(Name=name)
    assert "VersionId" not in created
    assert STAGES not in secrets.describe_secret(SecretId=name)
    with pytest.raises(ClientError) as refused:
        secrets.get_secret_value(SecretId=name)
    assert code_of(refused) == "ResourceNotFoundException"
    pending = put(secrets, name, "first", "AWSPENDING")
    assert stages(secrets, name) == {pending: ["AWSCURRENT", "AWSPENDING"]}


def test_a_value_has_at_most_65536_bytes(secrets: Any, name: str) -> None:
    secrets.create_secret(Name=name, SecretString="ü" * 32768)
    with pytest.raises(ClientError) as refused:
        put(secrets, name, "ü" * 32768 + "x")
    assert code_of(refused) == "ValidationException"
    assert "ü" not in message_of(refused)


def test_a_secret_has_at_most_twenty_labels(secrets: Any, name: str, first: str) -> None:
    put(secrets, name, "second", *[f"label{number}" for number in range(19)])
    with pytest.raises(ClientError) as refused:
        put(secrets, name, "third", "one too many")
    assert code_of(refused) == "LimitExceededException"
    assert stages(secrets, name)[first] == ["AWSCURRENT"]


def test_binary_values_come_back_as_they_were(secrets: Any, name: str) -> None:
    secrets.create_secret(Name=name, SecretBinary=b"\x00\x01\xff")
    assert secrets.get_secret_value(SecretId=name)["SecretBinary"] == b"\x00\x01\xff"


def test_every_label_but_pending_and_previous_is_announced(
    account: Account, secrets: Any, name: str, first: str
) -> None:
    sqs, events = account.client("sqs"), account.client("events")
    queue = sqs.create_queue(QueueName=name.replace("/", "-"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    rule = name.replace("/", "-")
    events.put_rule(
        Name=rule,
        EventPattern=json.dumps(
            {"detail-type": ["Secret Label Updated"], "detail": {"name": [name]}}
        ),
    )
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn["QueueArn"]}])
    second = put(secrets, name, "second", "AWSPENDING", "OWN")
    secrets.update_secret_version_stage(
        SecretId=name,
        VersionStage="AWSCURRENT",
        MoveToVersionId=second,
        RemoveFromVersionId=first,
    )
    received: list[str] = []
    while len(received) < 2:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=5)
        assert answer.get("Messages"), received
        received += [message["Body"] for message in answer["Messages"]]
    assert len(received) == 2
    for label in ("OWN", "AWSCURRENT"):
        assert any(f'"labelUpdated": "{label}"' in event for event in received), received
