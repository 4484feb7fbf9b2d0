"""What no record says about secrets, roles and people's decisions; remembered for a while."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from rekey.aws.suppressions import Suppressions
from rekey.errors import IamFailure, LambdaFailure, RekeyError, SecretsManagerFailure
from rekey.known import DECOY_TAG, without_ending

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

T = TypeVar("T")

MINUTE, LATELY, LONG = 60, 600, 3600
"""Seconds for which an answer counts: what must be right at once, what changes, what hardly does.
That something is unknown counts for ``LATELY`` at most."""
MOST = 20_000
HIDDEN = frozenset({"AccessDenied", "AccessDeniedException"})
GONE = frozenset({"ResourceNotFoundException", "NoSuchEntity"})
# Names are the callers' own, and need not be any: asking again would not make them better.
NO_NAME = frozenset(
    {
        "InvalidParameterException",
        "InvalidParameterValueException",
        "InvalidRequestException",
        "ValidationError",
        "ValidationException",
    }
)
UNKNOWN = HIDDEN | GONE | NO_NAME


class _Remembered:
    """What was asked lately, None included. Failures are not: the next one asks again."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._held: dict[str, tuple[float, Any]] = {}
        self._clock = clock

    def get(self, name: str, ask: Callable[[], T | None], within: int = LONG) -> T | None:
        at, value = self._held.get(name, (float("-inf"), None))
        if self._clock() - at < (within if value is not None else min(within, LATELY)):
            return value  # type: ignore[no-any-return]  # as it was answered
        answer = ask()
        self.keep(answer, name)
        return answer

    def keep(self, answer: object, *names: str) -> None:
        if len(self._held) >= MOST:
            self._held.clear()
        self._held.update(dict.fromkeys(names, (self._clock(), answer)))


class _Described(NamedTuple):
    """What is kept of a secret: its ARN, and the function that rotates it."""

    arn: str
    function: str | None


class AccessAccount:
    """See SecretNames and Surroundings. What may not be looked up is treated as unknown.

    ``clock`` counts seconds from any time on.
    """

    def __init__(
        self,
        secrets: "SecretsManagerClient",
        functions: "LambdaClient",
        iam: "IAMClient",
        dynamodb: Any,
        table: str,
        *,
        ours: frozenset[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secrets, self._functions, self._iam = secrets, functions, iam
        self._suppressions, self._ours = Suppressions(dynamodb, table), ours
        self._remembered = _Remembered(clock)
        self._decoys: set[str] = set()

    def full_arn(self, partial: str) -> str | None:
        """See SecretNames. A secret's tags come with its ARN, so decoys are known by then."""
        described = self._described(partial, ask=self._by_arn_or_name)
        return None if described is None else described.arn

    def decoys(self) -> frozenset[str]:
        """See Surroundings."""
        return frozenset(self._decoys)

    def ours(self) -> frozenset[str]:
        """See Surroundings."""
        return self._ours

    def rotator(self, secret: str) -> str | None:
        """See Surroundings. A rotation begins as soon as it is switched on: asked anew."""
        described = self._described(secret, MINUTE)
        if described is None or described.function is None:
            return None
        function, ask = described.function, self._functions.get_function_configuration

        def look() -> str:
            return str(ask(FunctionName=function)["Role"])

        return self._remembered.get(f"function {function}", _if_known(look, LambdaFailure), LATELY)

    def role_made(self, arn: str) -> int | None:
        """See Surroundings. IAM looks up by name, and no two roles have one."""
        name, ask = arn.rpartition("/")[2], self._iam.get_role

        def look() -> int:
            return int(ask(RoleName=name)["Role"]["CreateDate"].timestamp())

        return self._remembered.get(f"role {arn}", _if_known(look, IamFailure), LATELY)

    def suppressions(self) -> list[Mapping[str, Any]]:
        """See Surroundings."""
        ask = self._suppressions.documents
        return self._remembered.get("suppressions", ask, LATELY) or []

    def _described(
        self, secret: str, within: int = LONG, ask: Callable[[str], Any] | None = None
    ) -> _Described | None:
        ask = ask or self._by_arn
        look = _if_known(lambda: self._describe(ask(secret)), SecretsManagerFailure)
        return self._remembered.get(secret, look, within)

    def _describe(self, found: Mapping[str, Any]) -> _Described:
        """One answer is that of both forms of its name: the read has one, its companion the other.

        Whoever names a secret by its name alone is looked up by the ARN without its ending.
        """
        tags = {tag.get("Key"): tag.get("Value") for tag in found.get("Tags", [])}
        change = self._decoys.add if tags.get(DECOY_TAG, "false") != "false" else None
        (change or self._decoys.discard)(found["ARN"])
        described = _Described(found["ARN"], found.get("RotationLambdaARN"))
        self._remembered.keep(described, found["ARN"], without_ending(found["ARN"]))
        return described

    def _by_arn(self, secret: str) -> Any:
        return self._secrets.describe_secret(SecretId=secret)

    def _by_arn_or_name(self, secret: str) -> Any:
        """Ask once more by name where a name ends like an ARN (``db-master``).

        Secrets Manager takes the ARN without ending of such a one for a whole ARN, and finds none
        (user guide, "Troubleshoot AWS Secrets Manager"). A name is of this account and region.
        """
        try:
            return self._by_arn(secret)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code not in GONE or without_ending(secret) == secret:
                raise
            found = self._by_arn(secret.partition(":secret:")[2])
            if without_ending(found["ARN"]) != secret:
                raise
            return found


def _if_known(ask: Callable[[], T], failure: type[RekeyError]) -> Callable[[], T | None]:
    """Return what asks, and returns None only for what is not there or may not be seen."""

    def asked() -> T | None:
        try:
            return ask()
        except ParamValidationError:
            return None
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in UNKNOWN:
                return None
            raise failure(f"{error.operation_name} was refused: {code}.") from None
        except BotoCoreError as error:
            raise failure(f"There was no answer ({type(error).__name__}).") from None

    return asked
