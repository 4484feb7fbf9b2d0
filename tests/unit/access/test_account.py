"""What the watch asks the account: how often, and what it makes of refusals and failures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ParamValidationError

from rekey.access.intake import Intake
from rekey.access.network import no_asns
from rekey.access.watch import Watch
from rekey.aws.access_account import LATELY, LONG, AccessAccount
from rekey.errors import IamFailure, LambdaFailure, RekeyError, SecretsManagerFailure
from rekey.model import Deadline
from tests.access.records import ACCOUNT, REGION, arn, decrypt, record
from tests.access.world import World

DB = arn("prod/db")
PARTIAL = DB.rpartition("-")[0]
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rotate"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/rotate"
MADE = datetime(2026, 1, 1, tzinfo=UTC)


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeSecret")


def no_answer() -> ConnectTimeoutError:
    return ConnectTimeoutError(endpoint_url="https://secretsmanager")


@dataclass
class Services:
    """Secrets Manager, Lambda and IAM at once, with one decoy. ``error`` is raised if set."""

    error: Exception | None = None
    asked: list[str] = field(default_factory=list)
    now: float = 0.0
    function: str | None = None

    def describe_secret(self, SecretId: str) -> dict[str, Any]:  # noqa: N803 - as AWS has it
        self._ask(SecretId)
        rotation = {"RotationLambdaARN": self.function} if self.function else {}
        return {"ARN": DB, "Tags": [{"Key": "rekey:decoy", "Value": ""}], **rotation}

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803 - as AWS has it
        self._ask(FunctionName)
        return {"Role": ROLE}

    def get_role(self, RoleName: str) -> dict[str, Any]:  # noqa: N803 - as AWS has it
        self._ask(RoleName)
        return {"Role": {"CreateDate": MADE}}

    def query(self, **_: Any) -> dict[str, Any]:
        self._ask("suppressions")
        return {"Items": []}

    def _ask(self, name: str) -> None:
        self.asked.append(name)
        if self.error:
            raise self.error

    @property
    def account(self) -> AccessAccount:
        every: Any = self
        ours = frozenset[str]()
        return AccessAccount(every, every, every, every, "table", ours=ours, clock=lambda: self.now)


class LikeTheService(Services):
    """Has a secret whose name ends like an ARN, and finds it by its whole ARN or its name only."""

    NAME = "prod/db-master"

    def describe_secret(self, SecretId: str) -> dict[str, Any]:  # noqa: N803 - as AWS has it
        self._ask(SecretId)
        if SecretId not in (self.NAME, arn(self.NAME)):
            raise refusal("ResourceNotFoundException")
        return {"ARN": arn(self.NAME), "Tags": [{"Key": "rekey:decoy", "Value": ""}]}


def test_a_decoy_whose_name_ends_like_an_arn_is_known_by_its_name() -> None:
    services = LikeTheService()
    account = services.account
    partial = arn(services.NAME).removesuffix("-AbCdEf")
    assert account.full_arn(partial) == arn(services.NAME)
    assert account.decoys() == {arn(services.NAME)}
    assert account.full_arn(arn("prod/db-others").removesuffix("-AbCdEf")) is None
    assert account.full_arn(partial.replace(REGION, "eu-north-1")) is None


Ask = Callable[[AccessAccount], object]
LOOK_UPS: list[tuple[Ask, type[RekeyError]]] = [
    (lambda account: account.full_arn(PARTIAL), SecretsManagerFailure),
    (lambda account: account.rotator(DB), SecretsManagerFailure),
    (lambda account: account.role_made(ROLE), IamFailure),
]


@pytest.mark.parametrize(("ask", "failure"), LOOK_UPS)
@pytest.mark.parametrize(
    "error",
    [
        refusal("AccessDeniedException"),
        refusal("ResourceNotFoundException"),
        refusal("ValidationException"),
        ParamValidationError(report="too short"),
    ],
)
def test_what_is_not_there_or_may_not_be_seen_is_unknown_for_a_while(
    ask: Ask, failure: type[RekeyError], error: Exception
) -> None:
    del failure
    services = Services(error)
    account = services.account
    assert (ask(account), ask(account), len(services.asked)) == (None, None, 1)
    services.now, services.error = LATELY, None
    ask(account)
    assert len(services.asked) == 2


@pytest.mark.parametrize(("ask", "failure"), LOOK_UPS)
@pytest.mark.parametrize("error", [refusal("InternalServiceError"), no_answer()])
def test_what_got_no_answer_is_an_error_and_is_asked_again_at_once(
    ask: Ask, failure: type[RekeyError], error: Exception
) -> None:
    services = Services(error)
    account = services.account
    for times in (1, 2):
        with pytest.raises(failure):
            ask(account)
        assert len(services.asked) == times
    services.error = None
    ask(account)
    assert len(services.asked) == 3


def test_a_rotation_function_that_is_not_answered_for_is_no_stranger() -> None:
    services = Services(function=FUNCTION)
    account = services.account
    assert account.full_arn(DB) == DB
    services.error = refusal("TooManyRequestsException")
    with pytest.raises(LambdaFailure):
        account.rotator(DB)
    services.error = None
    assert account.rotator(DB) == ROLE


def test_a_read_of_a_decoy_that_was_not_looked_up_comes_again() -> None:
    services, world = Services(no_answer()), World()
    account = services.account
    intake = Intake(Watch(world.table, account, world), account, no_asns)
    messages = {"m-1": {"detail": record(requestParameters={"secretId": "prod/db"})}}
    assert list(intake.take(messages, Deadline.after(60))) == ["m-1"]
    assert world.told == []
    services.error = None
    assert intake.take(messages, Deadline.after(60)) == {}
    assert [told.level for told in world.told] == ["critical"]


def test_a_read_by_name_and_its_companion_ask_once_an_hour() -> None:
    services, world = Services(), World()
    account = services.account
    intake = Intake(Watch(world.table, account, world), account, no_asns)
    read = record(requestParameters={"secretId": "prod/db"})
    messages = {"m-1": {"detail": read}, "m-2": {"detail": decrypt(DB, "v1")}}
    for now, times in ((0, 1), (LONG - 1, 1), (LONG, 2)):
        services.now = now
        assert intake.take(messages, Deadline.after(60)) == {}
        assert len([name for name in services.asked if name.startswith("arn:")]) == times


def test_who_rotates_a_secret_is_known_soon_after_rotation_was_switched_on() -> None:
    services = Services()
    account = services.account
    assert account.rotator(DB) is None
    services.function, services.now = FUNCTION, 60
    assert account.rotator(DB) == ROLE
