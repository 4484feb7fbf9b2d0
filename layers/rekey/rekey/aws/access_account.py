"""What no record says about secrets, roles and people's decisions; remembered for a while."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from rekey.aws.suppressions import Suppressions
from rekey.errors import StateTableFailure

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

T = TypeVar("T")

DECOY_TAG = "rekey:decoy"
SECONDS = 600
MOST = 20_000


class _Remembered:
    """What was asked lately, None included."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[float, Any]] = {}

    def get(self, name: str, ask: Callable[[], T | None]) -> T | None:
        at, value = self._held.get(name, (float("-inf"), None))
        if time.monotonic() - at < SECONDS:
            return value  # type: ignore[no-any-return]
        if len(self._held) >= MOST:
            self._held.clear()
        answer = _if_allowed(ask)
        self._held[name] = time.monotonic(), answer
        return answer


class AccessAccount:
    """See SecretNames and Surroundings. What may not be looked up is treated as unknown."""

    def __init__(
        self,
        secrets: "SecretsManagerClient",
        functions: "LambdaClient",
        iam: "IAMClient",
        dynamodb: Any,
        table: str,
        *,
        ours: frozenset[str],
    ) -> None:
        self._secrets, self._functions, self._iam = secrets, functions, iam
        self._suppressions, self._ours = Suppressions(dynamodb, table), ours
        self._remembered = _Remembered()
        self._decoys: set[str] = set()

    def full_arn(self, partial: str) -> str | None:
        """See SecretNames. A secret's tags come with its ARN, so decoys are known by then."""
        described = self._described(partial)
        return None if described is None else str(described["ARN"])

    def decoys(self) -> frozenset[str]:
        """See Surroundings."""
        return frozenset(self._decoys)

    def ours(self) -> frozenset[str]:
        """See Surroundings."""
        return self._ours

    def rotator(self, secret: str) -> str | None:
        """See Surroundings."""
        function = (self._described(secret) or {}).get("RotationLambdaARN")
        if not function:
            return None
        ask = self._functions.get_function_configuration
        return self._remembered.get(
            f"function {function}", lambda: ask(FunctionName=function)["Role"]
        )

    def role_made(self, arn: str) -> int | None:
        """See Surroundings. IAM looks up by name, and no two roles have one."""
        name = arn.rpartition("/")[2]
        ask = self._iam.get_role
        return self._remembered.get(
            f"role {arn}", lambda: int(ask(RoleName=name)["Role"]["CreateDate"].timestamp())
        )

    def suppressions(self) -> list[Mapping[str, Any]]:
        """See Surroundings."""
        ask = self._suppressions.documents
        return self._remembered.get("suppressions", ask) or []

    def _described(self, secret: str) -> Mapping[str, Any] | None:
        found = self._remembered.get(secret, lambda: self._secrets.describe_secret(SecretId=secret))
        if found is not None:
            tags = {tag.get("Key"): tag.get("Value") for tag in found.get("Tags", [])}
            change = self._decoys.add if tags.get(DECOY_TAG, "false") != "false" else None
            (change or self._decoys.discard)(found["ARN"])
        return found


def _if_allowed(ask: Callable[[], T | None]) -> T | None:
    try:
        return ask()
    except (ClientError, BotoCoreError, StateTableFailure):
        return None
