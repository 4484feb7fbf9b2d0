"""RotateSecret, through the stack as deployed, on a real server."""

import secrets
from collections import Counter

import pytest
from pg8000.native import literal

from local.postgres import Postgres
from tests.conftest import Deployed
from tests.end_to_end.application import TEST_ENDS, Application, retries, wait_for

STRATEGIES = pytest.mark.parametrize(
    "alternating", [False, True], ids=["single-user", "alternating-users"]
)
STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]


@STRATEGIES
def test_three_rotations_in_a_row_each_end_with_a_current_that_logs_in(
    deployed: Deployed, postgres: Postgres, alternating: bool
) -> None:
    app = Application(deployed, postgres, alternating=alternating)
    names = []
    for _ in range(3):
        before = app.value("AWSCURRENT")
        assert app.rotate_and_wait()["eventName"] == "RotationSucceeded"
        assert app.logs_in("AWSCURRENT")
        assert app.value("AWSPREVIOUS") == before
        assert app.logs_in("AWSPREVIOUS") is alternating
        assert not any("AWSPENDING" in labels for labels in app.labels().values())
        names.append(app.value("AWSCURRENT")["username"])
    clone = f"{app.name}_clone" if alternating else app.name
    assert names == [clone, app.name, clone]


@STRATEGIES
@pytest.mark.parametrize("rotations_before", [0, 1])
def test_a_rotation_makes_as_few_calls_as_promised(
    deployed: Deployed, postgres: Postgres, alternating: bool, rotations_before: int
) -> None:
    app = Application(deployed, postgres, alternating=alternating)
    for _ in range(rotations_before):
        app.rotate_and_wait()
    since = deployed.account.control("records")["next"]
    app.rotate()
    app.end(since)
    session = f"/{deployed.rotation_function_arn.rpartition(':')[2]}"
    calls = Counter(
        record["eventName"]
        for record in app.records(since)
        if record["eventSource"] == "secretsmanager.amazonaws.com"
        and record["userIdentity"].get("arn", "").endswith(session)
    )
    assert calls == {
        "DescribeSecret": 2,
        "GetSecretValue": 5 if alternating else 4,
        "PutSecretValue": 1,
        "UpdateSecretVersionStage": 1,
    }
    assert sum(calls.values()) == (9 if alternating else 8)


@STRATEGIES
def test_each_step_writes_one_structured_line(
    deployed: Deployed, postgres: Postgres, alternating: bool
) -> None:
    app = Application(deployed, postgres, alternating=alternating)
    token = app.rotate()
    app.end(app.first_record)
    lines = app.log_lines()
    assert [line["step"] for line in lines] == STEPS
    strategy = "alternating-users" if alternating else "single-user"
    for line in lines:
        assert line["version_id"] == token
        assert line["strategy"] == strategy
        assert line["engine"] == "postgresql"
        assert line["outcome"] == "done"
        assert line["duration_ms"] > 0


def test_metrics_tell_engine_and_outcome_and_never_a_secret(
    deployed: Deployed, postgres: Postgres
) -> None:
    app = Application(deployed, postgres)
    app.rotate_and_wait()
    listed = deployed.account.client("cloudwatch").list_metrics(Namespace="Rekey")["Metrics"]
    metrics = [metric for metric in listed if "step" in str(metric["Dimensions"])]
    assert {metric["MetricName"] for metric in metrics} == {"Steps", "StepDuration"}
    dimensions = {frozenset((d["Name"], d["Value"]) for d in m["Dimensions"]) for m in metrics}
    for step in STEPS:
        expected = {("engine", "postgresql"), ("step", step), ("outcome", "done")}
        assert any(expected <= held for held in dimensions)
    assert "arn:" not in str(listed)


def test_a_rotation_needs_neither_port_nor_database(deployed: Deployed) -> None:
    """An address of its own, so that PostgreSQL's standard port is free on it."""
    address = ".".join(["127", *(str(secrets.randbelow(200) + 20) for _ in range(3))])
    authority = deployed.authority
    with Postgres(authority=authority, host=address, port=5432) as standard:
        for alternating in (False, True):
            app = Application(deployed, standard, alternating=alternating, keys={"port": None})
            assert app.rotate_and_wait()["eventName"] == "RotationSucceeded"
            assert not {"port", "dbname"} & app.value("AWSCURRENT").keys()
            assert app.logs_in("AWSCURRENT")


@STRATEGIES
def test_without_rotating_at_once_everything_is_tested_and_nothing_changes(
    deployed: Deployed, postgres: Postgres, alternating: bool
) -> None:
    app = Application(deployed, postgres, alternating=alternating)
    before, labels = app.value("AWSCURRENT"), app.labels()
    app.rotate(RotateImmediately=False)
    assert app.end(app.first_record, TEST_ENDS)["eventName"] == "TestRotationSucceeded"
    assert app.value("AWSCURRENT") == before
    assert app.labels() == labels
    assert [line["step"] for line in app.log_lines()] == ["testSecret"]


def test_a_test_of_a_wrong_password_fails(deployed: Deployed, postgres: Postgres) -> None:
    app = Application(deployed, postgres)
    postgres.execute(f"ALTER ROLE {app.name} PASSWORD {literal(app.new_password())}")
    app.rotate(RotateImmediately=False)
    assert app.end(app.first_record, TEST_ENDS)["eventName"] == "TestRotationFailed"
    assert [line["outcome"] for line in app.log_lines()] == ["CredentialsRejected"]


def test_a_schedule_that_comes_due_rotates(deployed: Deployed, postgres: Postgres) -> None:
    app = Application(deployed, postgres)
    app.rotate_and_wait(RotationRules={"ScheduleExpression": "rate(4 hours)", "Duration": "1h"})
    first = app.value("AWSCURRENT")
    since = deployed.account.control("records")["next"]
    deployed.account.control("clock", {"advanceSeconds": 9 * 3600})
    try:
        assert app.end(since)["eventName"] == "RotationSucceeded"
    finally:
        # Functions and workflows have the machine's time, and compare it with that of records.
        deployed.account.control("clock", {"reset": True})
    assert app.value("AWSCURRENT") != first
    assert app.logs_in("AWSCURRENT")
    app.client.cancel_rotate_secret(SecretId=app.arn)


@STRATEGIES
def test_a_step_that_fails_is_completed_by_the_service_s_own_retry(
    deployed: Deployed, postgres: Postgres, alternating: bool
) -> None:
    app = Application(deployed, postgres, alternating=alternating)
    with retries(deployed, 50):
        postgres.stop()
        try:
            token = app.rotate()
            wait_for(lambda: app.log_lines()[1:], "the first step that fails")
            meant = app.value("AWSPENDING")
        finally:
            postgres.start()
        assert app.end(app.first_record)["eventName"] == "RotationSucceeded"
    assert app.value("AWSCURRENT") == meant
    assert app.logs_in("AWSCURRENT")
    assert "AWSCURRENT" in app.labels()[token]
    assert "DatabaseUnreachable" in {line["outcome"] for line in app.log_lines()}


@STRATEGIES
def test_a_rotation_while_the_database_is_down_fails_and_locks_nobody_out(
    deployed: Deployed, postgres: Postgres, alternating: bool
) -> None:
    app = Application(deployed, postgres, alternating=alternating)
    before = app.value("AWSCURRENT")
    with retries(deployed, 2):
        postgres.stop()
        try:
            end = app.rotate_and_wait()
        finally:
            postgres.start()
    assert end["eventName"] == "RotationFailed"
    assert end["errorMessage"].endswith("during setSecret step")
    assert app.value("AWSCURRENT") == before
    assert app.logs_in("AWSCURRENT")
    reasons = [line["reason"] for line in app.log_lines() if line["step"] == "setSecret"]
    assert len(reasons) == 2
    assert all("cannot be reached (refused" in reason for reason in reasons)


def test_a_database_that_is_silent_is_unreachable_and_not_a_time_out_of_the_function(
    deployed: Deployed, postgres: Postgres
) -> None:
    app = Application(deployed, postgres)
    with retries(deployed, 1):
        postgres.pause()
        try:
            assert app.rotate_and_wait()["eventName"] == "RotationFailed"
        finally:
            postgres.resume()
    (line,) = [line for line in app.log_lines() if line["step"] == "setSecret"]
    assert line["outcome"] == "DatabaseUnreachable"
    assert line["duration_ms"] < 15_000


def test_a_superuser_that_rds_manages_is_found_through_rds(
    deployed: Deployed, postgres: Postgres
) -> None:
    instance = deployed.account.client("rds").create_db_instance(
        DBInstanceIdentifier=f"db-{secrets.token_hex(4)}",
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        Port=postgres.port,
        MasterUsername="postgres",
        MasterUserPassword=secrets.token_urlsafe(16),
        AllocatedStorage=20,
    )["DBInstance"]
    managed = Application(deployed, postgres, keys={"host": instance["Endpoint"]["Address"]})
    superuser = managed.create(
        "managed",
        {"username": "postgres", "password": postgres.password},
        {"aws:rds:primaryDBInstanceArn": instance["DBInstanceArn"], "rekey:superuser": "true"},
    )
    app = Application(
        deployed,
        postgres,
        alternating=True,
        keys={"host": instance["Endpoint"]["Address"]},
        superuser_arn=superuser,
    )
    assert app.rotate_and_wait()["eventName"] == "RotationSucceeded"
    assert app.value("AWSCURRENT")["username"] == f"{app.name}_clone"
    assert app.logs_in("AWSCURRENT")
