"""Look at an account: calls that list, describe and get, and no others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local.migration.observation import Origin, RotationFunction, Secret, Stack, Superuser
from rekey.aws.secrets_manager import SecretsManager
from rekey.aws.superusers import Superusers
from rekey.credential import Credential
from rekey.errors import RekeyError
from rekey.model import Label, SecretMetadata

if TYPE_CHECKING:
    from boto3.session import Session

OUTPUTS = {"postgresql": "RotatePostgresqlFunctionArn", "mysql": "RotateMysqlFunctionArn"}
"""Output of the stack that names the function, by engine."""

TAG_OF_FUNCTIONS = "rekey:function"
TAG_OF_SUPERUSERS = "rekey:superuser"
APPLICATION = "serverlessrepo:applicationId"
"""Tag that the AWS Serverless Application Repository puts on what it deploys."""
TEMPLATE_VARIABLE = "SECRETS_MANAGER_ENDPOINT"
"""Every rotation template of AWS reads it, and does not run without it."""


@dataclass
class Account:
    """The account and region of a session. A function is looked at once, not for each secret."""

    session: "Session"
    read_values: bool = False

    def __post_init__(self) -> None:
        """Make the clients."""
        self._secrets = self.session.client("secretsmanager")
        self._lambda = self.session.client("lambda")
        self._store = SecretsManager(self._secrets)
        self._superusers = Superusers(self._store, lambda: self.session.client("rds"))
        self._functions: dict[str, RotationFunction] = {}

    def stack(self, name: str) -> Stack:
        """The deployed application of that name; an empty Stack if there is none."""
        try:
            answer = self.session.client("cloudformation").describe_stacks(StackName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            return Stack()
        (described,) = answer["Stacks"]
        outputs = {o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", [])}
        parameters = {
            p["ParameterKey"]: p["ParameterValue"] for p in described.get("Parameters", [])
        }
        return Stack(
            functions={e: outputs[key] for e, key in OUTPUTS.items() if key in outputs},
            superuser_arns=_list(parameters.get("SuperuserSecretArns", "")),
            kms_keys=_list(parameters.get("SecretsKmsKeyArns", "")),
        )

    def secrets(self, stack: Stack, prefixes: Sequence[str]) -> Iterator[Secret]:
        """Every secret with a rotation function whose name begins with one of ``prefixes``.

        Without a prefix, all of them. Replicas have no function, they follow their primary.
        """
        pages = self._secrets.get_paginator("list_secrets").paginate(
            Filters=[{"Key": "name", "Values": list(prefixes)}] if prefixes else []
        )
        for page in pages:
            for entry in page["SecretList"]:
                if entry.get("RotationLambdaARN"):
                    yield self._secret(entry, stack)

    def _secret(self, entry: Any, stack: Stack) -> Secret:
        secret = Secret(
            name=entry["Name"],
            metadata=_metadata(entry),
            function=self._function(entry["RotationLambdaARN"]),
            has_schedule=bool(entry.get("RotationRules")),
            kms_key=entry.get("KmsKeyId"),
        )
        try:
            # ListSecrets may lag behind by minutes: what it says of labels is not good enough.
            secret = replace(secret, metadata=self._store.describe(entry["ARN"]))
        except RekeyError as error:
            return replace(secret, credential=error)
        return self._with_values(secret, stack) if self.read_values else secret

    def _with_values(self, secret: Secret, stack: Stack) -> Secret:
        try:
            value = self._store.get_labelled(secret.metadata.arn, Label.CURRENT).value
            credential = Credential.parse(value, what=Label.CURRENT)
        except RekeyError as error:
            return replace(secret, credential=error)
        if credential.superuser_arn is None:
            return replace(secret, credential=credential)
        superuser = self._superuser(credential.superuser_arn, credential, stack)
        return replace(secret, credential=credential, superuser=superuser)

    def _superuser(self, arn: str, current: Credential, stack: Stack) -> Superuser:
        listed = arn in stack.superuser_arns
        try:
            tagged = self._store.describe(arn).tags.get(TAG_OF_SUPERUSERS) == "true"
        except RekeyError as error:
            return Superuser(arn, error, tagged=False, listed=listed)
        try:
            credential = self._superusers.superuser(arn, current)
        except RekeyError as error:
            return Superuser(arn, error, tagged, listed)
        return Superuser(arn, credential, tagged, listed)

    def _function(self, arn: str) -> RotationFunction:
        if arn not in self._functions:
            self._functions[arn] = self._look_at(arn)
        return self._functions[arn]

    def _look_at(self, arn: str) -> RotationFunction:
        try:
            configuration = self._lambda.get_function_configuration(FunctionName=arn)
            tags = self._lambda.list_tags(Resource=configuration["FunctionArn"])["Tags"]
        except ClientError as error:
            missing = error.response["Error"]["Code"] == "ResourceNotFoundException"
            return RotationFunction(arn, Origin.MISSING if missing else Origin.UNKNOWN)
        environment = configuration.get("Environment", {}).get("Variables", {})
        network = configuration.get("VpcConfig", {})
        return RotationFunction(
            arn,
            _origin(tags, environment),
            _is_for_single_user(tags, configuration.get("Description", "")),
            environment,
            tuple(network.get("SubnetIds", ())),
            tuple(network.get("SecurityGroupIds", ())),
        )


def _metadata(entry: Any) -> SecretMetadata:
    return SecretMetadata(
        arn=entry["ARN"],
        rotation_enabled=entry.get("RotationEnabled", False),
        labels={
            version: frozenset(labels)
            for version, labels in entry.get("SecretVersionsToStages", {}).items()
        },
        tags={tag["Key"]: tag["Value"] for tag in entry.get("Tags", [])},
    )


def _origin(tags: dict[str, str], environment: dict[str, str]) -> Origin:
    if TAG_OF_FUNCTIONS in tags:
        return Origin.REKEY
    return Origin.AWS_TEMPLATE if TEMPLATE_VARIABLE in environment else Origin.OTHER


def _is_for_single_user(tags: dict[str, str], description: str) -> bool:
    """AWS's templates say it in the name of the application, and in the function's description."""
    return tags.get(APPLICATION, "").endswith("SingleUser") or "single user" in description


def _list(text: str) -> frozenset[str]:
    return frozenset(filter(None, text.split(",")))
