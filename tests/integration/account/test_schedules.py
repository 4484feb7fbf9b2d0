"""Schedules of rotations, dates of secrets, and the clock that tests move on."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.toolchain import CHECKOUT

from .conftest import Account, code_of, message_of, until

DAY = 86400
ROTATES = {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}
PROMOTES = """
    import boto3
    secrets = boto3.client("secretsmanager")
    def handler(event, context):
        arn, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
        if step == "createSecret":
            tags = secrets.describe_secret(SecretId=arn).get("Tags", [])
            if {"Key": "broken", "Value": "true"} in tags:
                raise RuntimeError("broken")
            secrets.put_secret_value(SecretId=arn, ClientRequestToken=token,
                SecretString="value of " + token, VersionStages=["AWSPENDING"])
        if step == "finishSecret":
            stages = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
            current = next(v for v in stages if "AWSCURRENT" in stages[v])
            secrets.update_secret_version_stage(SecretId=arn, VersionStage="AWSCURRENT",
                MoveToVersionId=token, RemoveFromVersionId=current)
"""


@pytest.fixture(scope="module")
def function(account: Account) -> str:
    account.control("rotation", {"attempts": 1, "delays": [0]})
    return account.function(PROMOTES, ROTATES)


def now(account: Account) -> datetime:
    return datetime.fromtimestamp(account.control("clock")["now"], UTC)


def advance(account: Account, **span: float) -> datetime:
    account.control("clock", {"advanceSeconds": timedelta(**span).total_seconds()})
    return now(account)


def scheduled(secrets: Any, name: str, function: str, rules: dict[str, Any]) -> str:
    """A secret that rotates for the first time when its window opens."""
    version: str = secrets.create_secret(Name=name, SecretString="first")["VersionId"]
    secrets.rotate_secret(
        SecretId=name,
        RotationLambdaARN=function,
        RotationRules=rules,
        RotateImmediately=False,
    )
    until(lambda: len(secrets.describe_secret(SecretId=name)["VersionIdsToStages"]) == 1)
    return version


def has_rotated(secrets: Any, name: str, version: str) -> bool:
    stages = secrets.describe_secret(SecretId=name)["VersionIdsToStages"]
    is_complete = not any("AWSPENDING" in labels for labels in stages.values())
    return is_complete and bool(stages.get(version) == ["AWSPREVIOUS"])


def test_the_clock_moves_on_and_never_back(account: Account) -> None:
    before = now(account)
    assert advance(account, days=2) - before >= timedelta(days=2)
    with pytest.raises(OSError, match="400"):
        account.control("clock", {"advanceSeconds": -1})


@pytest.mark.parametrize(
    "rules",
    [
        {"AutomaticallyAfterDays": 3},
        {"ScheduleExpression": "rate(3 days)"},
        {"ScheduleExpression": "rate(12 hours)"},
        {"ScheduleExpression": "cron(0 4 * * ? *)", "Duration": "2h"},
    ],
)
def test_a_rotation_happens_when_it_is_due_and_not_before(
    account: Account, secrets: Any, name: str, function: str, rules: dict[str, Any]
) -> None:
    first = scheduled(secrets, name, function, rules)
    described = secrets.describe_secret(SecretId=name)
    assert described["RotationRules"] == rules
    assert not has_rotated(secrets, name, first)
    due: datetime = described["NextRotationDate"]
    assert due > now(account)
    advance(account, seconds=(due - now(account)).total_seconds())
    until(lambda: has_rotated(secrets, name, first))
    described = secrets.describe_secret(SecretId=name)
    assert described["NextRotationDate"] > now(account)
    assert abs(described["LastRotatedDate"] - now(account)) < timedelta(minutes=1)


def test_what_fails_leaves_the_next_date_in_the_past_and_is_tried_again(
    account: Account, secrets: Any, name: str, function: str
) -> None:
    first = scheduled(secrets, name, function, {"AutomaticallyAfterDays": 1})
    secrets.tag_resource(SecretId=name, Tags=[{"Key": "broken", "Value": "true"}])
    due = secrets.describe_secret(SecretId=name)["NextRotationDate"]
    advance(account, days=2)
    until(lambda: len(secrets.describe_secret(SecretId=name)["VersionIdsToStages"]) == 2)
    until(lambda: not account.control("rotation")["running"])
    assert secrets.describe_secret(SecretId=name)["NextRotationDate"] == due < now(account)
    secrets.untag_resource(SecretId=name, TagKeys=["broken"])
    advance(account, days=1)
    until(lambda: has_rotated(secrets, name, first))
    assert secrets.describe_secret(SecretId=name)["NextRotationDate"] > now(account)


def test_a_cancelled_schedule_rests(
    account: Account, secrets: Any, name: str, function: str
) -> None:
    first = scheduled(secrets, name, function, {"AutomaticallyAfterDays": 1})
    other = f"{name}-other"
    before = scheduled(secrets, other, function, {"AutomaticallyAfterDays": 1})
    secrets.cancel_rotate_secret(SecretId=name)
    advance(account, days=2)
    until(lambda: has_rotated(secrets, other, before))
    assert not has_rotated(secrets, name, first)


def test_a_value_written_by_hand_counts_for_automatically_after_days(
    account: Account, secrets: Any, name: str, function: str
) -> None:
    scheduled(secrets, name, function, {"AutomaticallyAfterDays": 3})
    before = secrets.describe_secret(SecretId=name)["NextRotationDate"]
    advance(account, days=1)
    secrets.put_secret_value(SecretId=name, SecretString="by hand")
    after = secrets.describe_secret(SecretId=name)["NextRotationDate"]
    assert after - before >= timedelta(days=1)


# The schedules import MiniStack, which these tests do not have.
WINDOW = """
import json, sys
from local.account.secretsmanager import schedule
window = schedule.next_window(*json.loads(sys.argv[1]))
print(json.dumps([window.opens, window.closes]))
"""


def in_the_accounts_environment(program: str, *arguments: str) -> str:
    python = CHECKOUT / ".venv" / "account" / "bin" / "python"
    done = subprocess.run(
        [python, "-c", program, *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("rules", "opens", "closes"),
    [
        ({"AutomaticallyAfterDays": 10}, "2024-03-11T00:00", "2024-03-11T23:59:59"),
        ({"ScheduleExpression": "rate(6 hours)"}, "2024-03-01T16:00", "2024-03-01T17:00"),
        (
            {"ScheduleExpression": "cron(0 16 1,15 * ? *)", "Duration": "2h"},
            "2024-03-01T16:00",
            "2024-03-01T18:00",
        ),
        ({"ScheduleExpression": "cron(0 8/8 * * ? *)"}, "2024-03-01T16:00", "2024-03-01T17:00"),
        ({"ScheduleExpression": "cron(0 0 L * ? *)"}, "2024-03-31T00:00", "2024-03-31T23:59:59"),
        ({"ScheduleExpression": "cron(0 2 15W * ? *)"}, "2024-03-15T02:00", "2024-03-15T23:59:59"),
        (
            {"ScheduleExpression": "cron(0 10 ? * SUN#2 *)"},
            "2024-03-10T10:00",
            "2024-03-10T23:59:59",
        ),
        (
            {"ScheduleExpression": "cron(0 9 ? 2-12/3 6L *)"},
            "2024-05-31T09:00",
            "2024-05-31T23:59:59",
        ),
    ],
)
def test_windows_are_those_of_the_user_guide(
    rules: dict[str, Any], opens: str, closes: str
) -> None:
    after = datetime(2024, 3, 1, 10, 30, tzinfo=UTC).timestamp()
    window = json.loads(in_the_accounts_environment(WINDOW, json.dumps([rules, after])))
    assert [datetime.fromtimestamp(moment, UTC) for moment in window] == [
        datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (opens, closes)
    ]


@pytest.mark.parametrize(
    "rules",
    [
        {"ScheduleExpression": "rate(3 hours)"},
        {"ScheduleExpression": "rate(1000 days)"},
        {"ScheduleExpression": "rate(5 minutes)"},
        {"ScheduleExpression": "cron(0 */3 * * ? *)"},
        {"ScheduleExpression": "cron(30 4 * * ? *)"},
        {"ScheduleExpression": "cron(0 4 * * * *)"},
        {"ScheduleExpression": "cron(0 4 * * ? 2030)"},
        {"ScheduleExpression": "cron(0 22 * * ? *)", "Duration": "3h"},
        {"ScheduleExpression": "rate(4 hours)", "Duration": "5h"},
        {"AutomaticallyAfterDays": 30, "Duration": "25h"},
        {"AutomaticallyAfterDays": 30, "ScheduleExpression": "rate(30 days)"},
        {"AutomaticallyAfterDays": 1001},
    ],
)
def test_a_schedule_that_the_service_refuses_is_refused(
    secrets: Any, name: str, function: str, rules: dict[str, Any]
) -> None:
    secrets.create_secret(Name=name, SecretString="first")
    with pytest.raises(ClientError) as refused:
        secrets.rotate_secret(SecretId=name, RotationLambdaARN=function, RotationRules=rules)
    assert code_of(refused) in ("InvalidParameterException", "ValidationException")
    assert "RotationEnabled" not in secrets.describe_secret(SecretId=name)


def test_the_shortest_schedule_is_every_four_hours(
    account: Account, secrets: Any, name: str, function: str
) -> None:
    rules = {"ScheduleExpression": "cron(0 */4 * * ? *)", "Duration": "4h"}
    scheduled(secrets, name, function, rules)
    closes = secrets.describe_secret(SecretId=name)["NextRotationDate"]
    assert closes - now(account) <= timedelta(hours=8)


def test_a_deleted_secret_is_gone_when_its_window_is_over(
    account: Account, secrets: Any, name: str
) -> None:
    secrets.create_secret(Name=name, SecretString="first")
    secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    assert secrets.describe_secret(SecretId=name)["DeletedDate"] > now(account)
    advance(account, days=8)

    def is_gone() -> bool:
        try:
            secrets.describe_secret(SecretId=name)
        except secrets.exceptions.ResourceNotFoundException as error:
            return "can't find" in str(error)
        return False

    until(is_gone)


def test_a_second_schedule_together_with_days_is_named(
    secrets: Any, name: str, function: str
) -> None:
    secrets.create_secret(Name=name, SecretString="first")
    with pytest.raises(ClientError) as refused:
        secrets.rotate_secret(
            SecretId=name,
            RotationLambdaARN=function,
            RotationRules={"AutomaticallyAfterDays": 1, "ScheduleExpression": "rate(1 day)"},
        )
    assert message_of(refused) == (
        "You cannot specify both rotation frequency and schedule expression together."
    )
