"""The report on secrets that are to be moved, run as an operator runs it, with rights to read."""

import io
import json
import os
import secrets
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pg8000.native import literal

from local.postgres import Postgres
from local.toolchain import CHECKOUT
from tests.conftest import Deployed
from tests.documents import blocks, document
from tests.end_to_end.application import TEST_ENDS, Application
from tests.end_to_end.aws_command import run_command

POLICY = blocks(document("migrate-from-aws-templates.md"), "json")[0]


@dataclass
class Operator:
    """A user of the account with the rights that the document says, and no others."""

    deployed: Deployed
    name: str
    key: dict[str, str]

    def report(self, *options: str) -> tuple[int, str]:
        """Run the command; its status and what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "local.migration", *options],
            cwd=CHECKOUT,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(CHECKOUT / "layers" / "rekey"),
                "PYTHONDONTWRITEBYTECODE": "1",
                "AWS_ENDPOINT_URL": self.deployed.account.endpoint,
                "AWS_ACCESS_KEY_ID": self.key["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": self.key["SecretAccessKey"],
                "AWS_DEFAULT_REGION": "us-east-1",
                "COLUMNS": "200",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.stderr
        return done.returncode, done.stdout

    def verdicts(self, *options: str) -> tuple[int, dict[str, Any]]:
        """The verdicts by the ARN of the secret."""
        status, output = self.report("--json", *options)
        return status, {entry["arn"]: entry for entry in json.loads(output)["secrets"]}

    def records(self, since: int) -> list[dict[str, Any]]:
        """What CloudTrail holds of this user's calls, and of what they caused."""
        records = self.deployed.account.control(f"records?after={since}")["records"]
        return [r for r in records if r["userIdentity"].get("userName") == self.name]


@pytest.fixture
def operator(deployed: Deployed) -> Iterator[Operator]:
    iam, name = deployed.account.client("iam"), f"operator-{secrets.token_hex(4)}"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="report", PolicyDocument=POLICY)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    yield Operator(deployed, name, key)
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=name, PolicyName="report")
    iam.delete_user(UserName=name)


@pytest.fixture(scope="module")
def template(deployed: Deployed) -> str:
    """A function configured as AWS's templates are, which does nothing; its ARN."""
    client = deployed.account.client("lambda")
    ours = client.get_function_configuration(FunctionName=deployed.rotation_function_arn)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("lambda_function.py", "def lambda_handler(event, context): pass\n")
    function = client.create_function(
        FunctionName=f"template-{secrets.token_hex(4)}",
        Runtime=ours["Runtime"],
        Role=ours["Role"],
        Handler="lambda_function.lambda_handler",
        Description="Conducts an AWS SecretsManager secret rotation using single user rotation",
        Code={"ZipFile": code.getvalue()},
        Environment={
            "Variables": {
                "SECRETS_MANAGER_ENDPOINT": "https://secretsmanager.us-east-1.amazonaws.com",
                "EXCLUDE_CHARACTERS": ":/@\"'\\%",
            }
        },
    )
    client.add_permission(
        FunctionName=function["FunctionName"],
        StatementId="secretsmanager",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
    )
    return str(function["FunctionArn"])


def at_template(app: Application, template: str) -> Application:
    """Give the secret to AWS's template."""
    app.rotate(RotationLambdaARN=template, RotateImmediately=False)
    app.end(app.first_record, TEST_ENDS)
    return app


def with_clone(app: Application) -> Application:
    """Leave what AWS's template leaves: a clone that owns a table."""
    password = app.new_password()
    app.postgres.execute(
        f"CREATE ROLE {app.name}_clone LOGIN PASSWORD {literal(password)}",
        f"GRANT {app.name} TO {app.name}_clone",
        f"CREATE SCHEMA {app.name} AUTHORIZATION {app.name}",
        f"CREATE TABLE {app.name}.made (id int)",
        f"ALTER TABLE {app.name}.made OWNER TO {app.name}_clone",
    )
    return app


def name_of(app: Application) -> str:
    """The secret's name: its ARN without the six characters that the service appends."""
    return app.arn.rpartition(":")[2][:-7]


def texts(verdict: dict[str, Any], severity: str) -> str:
    return "\n".join(f["text"] for f in verdict["findings"] if f["severity"] == severity)


def test_a_report_calls_nothing_that_changes_anything(
    deployed: Deployed, postgres: Postgres, operator: Operator, template: str
) -> None:
    app = with_clone(at_template(Application(deployed, postgres, alternating=True), template))
    labels, value = app.labels(), app.value("AWSCURRENT")
    since = deployed.account.control("records")["next"]
    log = len(postgres.log.read_text())
    status, _ = operator.report("--connect", "--ca-file", str(postgres.ca_file))
    records = operator.records(since)
    assert status in (0, 1)
    assert {r["eventName"] for r in records if r["eventSource"].startswith("secretsmanager")} == {
        "ListSecrets",
        "DescribeSecret",
        "GetSecretValue",
    }
    assert all(record["readOnly"] for record in records)
    assert not [record for record in records if "errorCode" in record]
    assert (app.labels(), app.value("AWSCURRENT")) == (labels, value)
    said = postgres.log.read_text()[log:]
    assert "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY" in said
    for statement in ("ALTER ", "GRANT ", "CREATE ", "REASSIGN ", "REVOKE "):
        assert f": {statement}" not in said


def test_without_values_a_report_reads_none_and_says_less(
    deployed: Deployed, postgres: Postgres, operator: Operator, template: str
) -> None:
    app = at_template(Application(deployed, postgres), template)
    since = deployed.account.control("records")["next"]
    _, verdicts = operator.verdicts("app-")
    assert "GetSecretValue" not in {record["eventName"] for record in operator.records(since)}
    verdict = verdicts[app.arn]
    assert (verdict["engine"], verdict["strategy"], verdict["switch"]) == (None, None, None)
    assert verdict["function"] == {"arn": template, "origin": "AWS's template"}
    assert "was not read" in texts(verdict, "note")


def test_a_secret_moves_and_goes_back_by_the_commands_that_the_report_prints(
    deployed: Deployed, postgres: Postgres, operator: Operator, template: str
) -> None:
    app = with_clone(at_template(Application(deployed, postgres, alternating=True), template))
    status, verdicts = operator.verdicts(
        "--connect", "--ca-file", str(postgres.ca_file), name_of(app)
    )
    verdict = verdicts[app.arn]
    assert (status, verdict["couldMove"], verdict["strategy"]) == (0, True, "alternating-users")
    notes = texts(verdict, "note")
    assert '"ssl" is missing' not in notes
    assert "The clone owns objects in postgres" in notes
    assert "The clone runs as itself" in notes
    assert "without the characters" in notes
    assert "for a single user" in notes
    since = deployed.account.control("records")["next"]
    run_command(deployed.account, verdict["switch"])
    assert app.end(since, TEST_ENDS)["eventName"] == "TestRotationSucceeded"
    assert app.rotate_and_wait()["eventName"] == "RotationSucceeded"
    owner = f"SELECT tableowner FROM pg_tables WHERE schemaname = '{app.name}'"
    assert postgres.execute(owner) == [[app.name]]
    _, verdicts = operator.verdicts("--read-values", name_of(app))
    assert verdicts[app.arn]["function"]["origin"] == "Rekey"
    assert verdicts[app.arn]["switch"] is None
    run_command(deployed.account, verdict["back"])
    described = app.client.describe_secret(SecretId=app.arn)
    assert described["RotationLambdaARN"] == template


def test_what_would_stop_a_first_rotation_is_named_and_makes_the_status_1(
    deployed: Deployed, postgres: Postgres, operator: Operator, template: str
) -> None:
    untagged = Application(deployed, postgres, alternating=True, superuser_tags={})
    oracle = Application(deployed, postgres, keys={"engine": "oracle"})
    elsewhere = Application(deployed, postgres, alternating=True, keys={"port": 6543})
    elsewhere.client.put_secret_value(
        SecretId=elsewhere.superuser_arn,
        SecretString=json.dumps(elsewhere.document("postgres", "x") | {"port": 5432}),
    )
    stuck, no_json = Application(deployed, postgres), Application(deployed, postgres)
    no_json.client.put_secret_value(SecretId=no_json.arn, SecretString="not JSON")
    moved = [at_template(app, template) for app in (untagged, oracle, elsewhere, stuck, no_json)]
    stuck.client.put_secret_value(
        SecretId=stuck.arn, SecretString="{}", VersionStages=["AWSPENDING"]
    )
    status, verdicts = operator.verdicts("--read-values", "app-")
    assert status == 1
    expected = [
        "tag rekey:superuser = true",
        "UnsupportedEngine",
        "SuperuserMismatch",
        "AWSPENDING stands on version",
        "InvalidSecretValue",
    ]
    for app, reason in zip(moved, expected, strict=True):
        assert reason in texts(verdicts[app.arn], "stops")
        assert verdicts[app.arn]["switch"] is None
    for app in (untagged, stuck):
        todo = [f["todo"] for f in verdicts[app.arn]["findings"] if f["severity"] == "stops"]
        run_command(deployed.account, todo[0].splitlines()[-1])
    _, verdicts = operator.verdicts("--read-values", "app-")
    assert verdicts[untagged.arn]["couldMove"]
    assert verdicts[stuck.arn]["couldMove"]


def test_a_server_without_a_trusted_certificate_is_named_before_the_move(
    deployed: Deployed, postgres: Postgres, operator: Operator, template: str
) -> None:
    app = at_template(Application(deployed, postgres), template)
    status, verdicts = operator.verdicts("--connect", name_of(app))
    assert status == 1
    assert "TlsFailed" in texts(verdicts[app.arn], "stops")


def test_a_person_gets_a_table_and_no_password(
    deployed: Deployed, postgres: Postgres, operator: Operator, template: str
) -> None:
    app = at_template(Application(deployed, postgres, alternating=True), template)
    status, output = operator.report("--read-values", name_of(app))
    assert status == 0
    assert "nothing against it" in output
    assert f"--rotation-lambda-arn {deployed.rotation_function_arn} --no-rotate" in output
    assert "Nothing was changed." in output
    assert not [word for word in (*app.passwords, postgres.password) if word in output]
