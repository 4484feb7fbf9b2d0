"""No password, old, new or superuser, ever shows anywhere but in Secrets Manager."""

import json
import secrets
import uuid
from typing import Any

import pytest

from local.postgres import Postgres
from tests.bus import everything_on_the_bus
from tests.canary import check_nowhere
from tests.conftest import Deployed
from tests.end_to_end.application import Application, function_text, retries, wait_for


@pytest.fixture
def verbose(deployed: Deployed) -> Any:
    """The function at its most talkative: its own logger and the root logger at DEBUG."""
    client, name = deployed.account.client("lambda"), deployed.rotation_function_arn
    before = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    louder = {"POWERTOOLS_LOG_LEVEL": "DEBUG", "AWS_LAMBDA_LOG_LEVEL": "DEBUG"}
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**before, **louder}}
    )
    yield
    client.update_function_configuration(FunctionName=name, Environment={"Variables": before})


@pytest.mark.usefixtures("verbose")
def test_no_password_shows_in_any_log_event_record_or_metric(
    deployed: Deployed, postgres: Postgres
) -> None:
    postgres.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    passwords = {postgres.password}
    applications = [Application(deployed, postgres, alternating=a) for a in (False, True)]
    with everything_on_the_bus(deployed) as listening, retries(deployed, 2):
        for app in applications:
            for _ in range(2):
                app.rotate_and_wait()
                app.value("AWSCURRENT")
            # And one that fails, after the new value was stored.
            name = app.value("AWSCURRENT")["username"]
            postgres.execute(f"ALTER ROLE {name} CONNECTION LIMIT 0")
            app.rotate_and_wait()
            app.value("AWSPENDING")
            passwords |= set(app.passwords)
        bus = listening.events()
    places = {
        "the function's log": "\n".join(function_text(deployed)),
        "CloudTrail": json.dumps(deployed.account.control("records")["records"]),
        "the bus": "\n".join(bus),
        "metrics": str(deployed.account.client("cloudwatch").list_metrics()["Metrics"]),
        "PostgreSQL's statistics": str(postgres.execute("SELECT query FROM pg_stat_statements")),
        # Tests create their users with a password in clear: those lines are not the function's.
        "PostgreSQL's log": "\n".join(
            line for line in postgres.log.read_text().splitlines() if "CREATE ROLE app_" not in line
        ),
    }
    assert any("RotationFailed" in event for event in bus)
    assert any("GetSecretValue" in event for event in bus)
    assert "SCRAM-SHA-256$4096" in places["PostgreSQL's log"]
    assert len(passwords) >= 9
    check_nowhere(passwords, places)


def test_a_rotation_token_shows_nowhere(deployed: Deployed, postgres: Postgres) -> None:
    """Secrets Manager calls it sensitive: it may be used in place of the function's own rights."""
    app = Application(deployed, postgres)
    token = f"rotation-token-{secrets.token_hex(16)}"
    version = str(uuid.uuid4())
    app.rotate_and_wait()
    event = {
        "Step": "createSecret",
        "SecretId": app.arn,
        "ClientRequestToken": version,
        "RotationToken": token,
    }
    answer = deployed.account.client("lambda").invoke(
        FunctionName=deployed.rotation_function_arn, Payload=json.dumps(event)
    )
    assert json.load(answer["Payload"])["errorType"] == "VersionUnknown"
    wait_for(lambda: [t for t in function_text(deployed) if version in t], "the function's log")
    assert not any(token in text for text in function_text(deployed))
    assert token not in json.dumps(deployed.account.control("records")["records"])
