"""Secrets Manager as the rotation core sees it: one call a method, errors of our own tree.

Botocore repeats what was throttled or got no answer; every call here is safe to repeat.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from rekey.errors import (
    InvalidSecretValue,
    LabelMoved,
    RekeyError,
    SecretAccessDenied,
    SecretNotFound,
    SecretsManagerFailure,
)
from rekey.model import Label, SecretMetadata, SecretVersion

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

T = TypeVar("T")

NOT_FOUND = "ResourceNotFoundException"
EXISTS = "ResourceExistsException"
DENIED = frozenset({"AccessDeniedException", "AccessDenied", "KMSAccessDeniedException"})


class SecretsManager:
    """See SecretStore. The client's time-outs must be shorter than the function's."""

    def __init__(self, client: "SecretsManagerClient") -> None:
        self._client = client

    def describe(self, secret_id: str) -> SecretMetadata:
        """See SecretStore."""
        answer = _ask(self._client.describe_secret, SecretId=secret_id)
        return _metadata(answer, answer.get("VersionIdsToStages", {}))

    def tagged(self, key: str, value: str) -> Iterator[SecretMetadata]:
        """See SecretCatalogue.

        The service's filters match beginnings, and key and value apart from each other.
        """
        filters = [{"Key": "tag-key", "Values": [key]}, {"Key": "tag-value", "Values": [value]}]
        more: dict[str, str] = {}
        while True:
            page = _ask(
                self._client.list_secrets,
                Filters=[item for item in filters if item["Values"] != [""]],
                MaxResults=100,
                **more,
            )
            for entry in page["SecretList"]:
                found = _metadata(entry, entry.get("SecretVersionsToStages", {}))
                if found.tags.get(key) == value:
                    yield found
            if "NextToken" not in page:
                return
            more = {"NextToken": page["NextToken"]}

    def get_labelled(self, secret_id: str, label: Label) -> SecretVersion:
        """See SecretStore."""
        return _version(_ask(self._client.get_secret_value, SecretId=secret_id, VersionStage=label))

    def get_version(
        self, secret_id: str, version_id: str, label: Label | None = None
    ) -> SecretVersion | None:
        """See SecretStore."""
        stage = {} if label is None else {"VersionStage": label.value}
        try:
            answer = _ask(
                self._client.get_secret_value, SecretId=secret_id, VersionId=version_id, **stage
            )
        except (SecretNotFound, _LabelElsewhere):
            return None
        return _version(answer)

    def put_version(
        self, secret_id: str, version: SecretVersion, *, rotation_token: str | None
    ) -> bool:
        """See SecretStore."""
        token = {} if rotation_token is None else {"RotationToken": rotation_token}
        try:
            _ask(
                self._client.put_secret_value,
                SecretId=secret_id,
                ClientRequestToken=version.version_id,
                SecretString=version.value,
                VersionStages=sorted(version.labels),
                **token,
            )
        except _ValueExists:
            return False
        return True

    def move_label(
        self, secret_id: str, label: Label, *, to: str | None, removed_from: str | None
    ) -> None:
        """See SecretStore."""
        ends = {"MoveToVersionId": to, "RemoveFromVersionId": removed_from}
        _ask(
            self._client.update_secret_version_stage,
            SecretId=secret_id,
            VersionStage=label.value,
            **{name: version for name, version in ends.items() if version is not None},
        )


def _metadata(entry: Any, labels: Mapping[str, Sequence[str]]) -> SecretMetadata:
    return SecretMetadata(
        arn=entry["ARN"],
        rotation_enabled=entry.get("RotationEnabled", False),
        labels={version: frozenset(held) for version, held in labels.items()},
        tags={tag["Key"]: tag["Value"] for tag in entry.get("Tags", [])},
        rotation_function=entry.get("RotationLambdaARN"),
        rotated=entry.get("LastRotatedDate"),
    )


class _ValueExists(SecretsManagerFailure):
    """The token has another value already."""


class _LabelElsewhere(SecretsManagerFailure):
    """The version exists and does not carry the label that was asked for."""


def _version(answer: Any) -> SecretVersion:
    if "SecretString" not in answer:
        raise InvalidSecretValue(
            f"The secret {answer['ARN']} is binary. Store a JSON object as SecretString."
        )
    return SecretVersion(
        answer["VersionId"],
        frozenset(answer.get("VersionStages", ())),
        answer["SecretString"],
        answer["CreatedDate"].timestamp(),
    )


def _ask(call: Callable[..., T], **parameters: Any) -> T:
    """Call the service.

    Errors are raised outside the handler: botocore's own may repeat parameters, and must not be
    the context of ours.
    """
    try:
        return call(**parameters)
    except ClientError as error:
        failure = _sort(error, parameters.get("SecretId", "secrets"))
    except BotoCoreError as error:
        failure = SecretsManagerFailure(
            f"Secrets Manager did not answer ({type(error).__name__}). Check the route or the VPC "
            "endpoint."
        )
    raise failure


def _sort(error: ClientError, secret_id: str) -> RekeyError:
    code = error.response.get("Error", {}).get("Code", "")
    message = error.response.get("Error", {}).get("Message", "")
    said = f"{error.operation_name} of {secret_id}: {code}: {message}"
    if code == NOT_FOUND:
        return SecretNotFound(f"Secrets Manager finds no such secret or version. {said}")
    if code == EXISTS and error.operation_name == "PutSecretValue":
        return _ValueExists(said)
    if code == "InvalidRequestException" and "VersionStage" in message:
        # Said by GetSecretValue alone; elsewhere it is a failure like any other.
        return _LabelElsewhere(said) if "Get" in said else SecretsManagerFailure(said)
    if code in DENIED:
        return SecretAccessDenied(
            "The function's role may not do this. For a superuser secret: give it the tag "
            "rekey:superuser = true or list it in SuperuserSecretArns; for a customer key: list it "
            f"in SecretsKmsKeyArns. {said}"
        )
    if code == "InvalidParameterException" and error.operation_name == "UpdateSecretVersionStage":
        return LabelMoved(f"The label stands on another version by now. {said}")
    return SecretsManagerFailure(f"Secrets Manager refused. {said}")
