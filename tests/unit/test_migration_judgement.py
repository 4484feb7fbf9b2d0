"""From what was seen of a secret to what its operator is told."""

import json
import shlex
from dataclasses import replace
from typing import Any

import pytest

from local.migration.account import OUTPUTS
from local.migration.findings import Severity
from local.migration.judgement import Verdict, judge
from local.migration.observation import (
    Database,
    Origin,
    Peer,
    Place,
    RotationFunction,
    Secret,
    Stack,
    Superuser,
)
from local.migration.value_judgement import ENGINES
from local.toolchain import CHECKOUT
from rekey.credential import Credential
from rekey.errors import (
    InvalidSecretValue,
    PrivilegesDiffer,
    RekeyError,
    SecretAccessDenied,
    SecretNotFound,
    TlsFailed,
)
from rekey.model import Label, SecretMetadata, Strategy

PREFIX = "arn:aws:secretsmanager:eu-west-1:111122223333:secret"
ARN, SUPERUSER = f"{PREFIX}:app-AbCdEf", f"{PREFIX}:superuser-AbCdEf"
TEMPLATE = "arn:aws:lambda:eu-west-1:111122223333:function:template"
OURS = "arn:aws:lambda:eu-west-1:111122223333:function:rekey-rotate-postgresql"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1"
DEPLOYED = Stack({"postgresql": OURS})
COMPLETE = {
    "engine": "postgres",
    "host": "db.example.com",
    "port": 5432,
    "username": "app",
    "password": "hunter2hunter2",
    "ssl": True,
}


def credential(**keys: Any) -> Credential:
    document = {key: value for key, value in {**COMPLETE, **keys}.items() if value is not None}
    return Credential.parse(json.dumps(document), what=Label.CURRENT)


def metadata(
    pending: str = "new", *, enabled: bool = True, tags: dict[str, str] | None = None
) -> SecretMetadata:
    labels = {"old": frozenset({"AWSCURRENT"}), pending: frozenset({"AWSPENDING"})}
    labels = {"old": labels["old"]} if pending == "new" else labels
    return SecretMetadata(ARN, enabled, labels, tags or {})


def single(**facts: Any) -> Secret:
    known: dict[str, Any] = {
        "name": "app",
        "metadata": metadata(),
        "function": RotationFunction(TEMPLATE, Origin.AWS_TEMPLATE),
        "credential": credential(),
        **facts,
    }
    return Secret(**known)


def alternating(**facts: Any) -> Secret:
    superuser = Superuser(SUPERUSER, credential(username="admin"), tagged=True, listed=False)
    return single(
        **{"credential": credential(masterarn=SUPERUSER), "superuser": superuser, **facts}
    )


def told(verdict: Verdict, severity: Severity) -> list[str]:
    return [finding.text for finding in verdict.findings if finding.severity is severity]


def stops(secret: Secret, stack: Stack = DEPLOYED) -> list[str]:
    return told(judge(secret, stack), Severity.STOPS)


def notes(secret: Secret, stack: Stack = DEPLOYED) -> list[str]:
    return told(judge(secret, stack), Severity.NOTE)


def todo(secret: Secret, stack: Stack = DEPLOYED) -> list[str]:
    return [finding.todo or "" for finding in judge(secret, stack).findings]


@pytest.mark.parametrize(
    ("secret", "strategy"),
    [(single(), Strategy.SINGLE_USER), (alternating(), Strategy.ALTERNATING_USERS)],
    ids=["single-user", "alternating-users"],
)
def test_a_secret_that_nothing_is_against_gets_the_commands_to_switch_and_to_go_back(
    secret: Secret, strategy: Strategy
) -> None:
    verdict = judge(secret, DEPLOYED)
    assert (verdict.could_move, verdict.strategy, verdict.findings) == (True, strategy, ())
    assert verdict.switch is not None
    assert verdict.back is not None
    rotate = ["aws", "secretsmanager", "rotate-secret", "--secret-id", ARN, "--rotation-lambda-arn"]
    assert shlex.split(verdict.switch) == [*rotate, OURS, "--no-rotate-immediately"]
    assert shlex.split(verdict.back) == [*rotate, TEMPLATE, "--no-rotate-immediately"]


@pytest.mark.parametrize("engine", ["mysql", "aurora-mysql", "mariadb"])
def test_a_secret_of_mysql_or_mariadb_can_move_and_is_told_that_nobody_has_seen_its_server(
    engine: str,
) -> None:
    ours = f"{OURS.removesuffix('postgresql')}mysql"
    verdict = judge(single(credential=credential(engine=engine)), Stack({"mysql": ours}))
    assert (verdict.could_move, verdict.strategy) == (True, Strategy.SINGLE_USER)
    assert ours in str(verdict.switch)
    assert told(verdict, Severity.NOTE) == [
        "The server was not looked at: --connect knows PostgreSQL only."
    ]


def test_every_engine_that_has_a_function_is_known() -> None:
    functions = CHECKOUT / "functions"
    assert set(OUTPUTS) == {
        path.name.removeprefix("rotate_") for path in functions.glob("rotate_*")
    }
    assert set(OUTPUTS) == {engine.name for engine in ENGINES}


def test_before_the_deployment_the_command_has_a_place_for_the_function() -> None:
    assert " FUNCTION_ARN " in str(judge(single(), Stack()).switch)


def test_a_secret_without_a_schedule_gets_one_in_the_command() -> None:
    command = str(judge(single(has_schedule=False), DEPLOYED).switch)
    assert "--rotation-rules AutomaticallyAfterDays=30" in command


def test_a_cut_off_rotation_stops_it_and_the_command_takes_the_label_off_that_version() -> None:
    secret = single(metadata=metadata("stuck"))
    assert "AWSPENDING stands on version stuck" in stops(secret)[0]
    assert todo(secret)[0].endswith("--version-stage AWSPENDING --remove-from-version-id stuck")
    assert judge(secret, DEPLOYED).switch is None


def test_pending_on_the_current_version_is_no_cut_off_rotation() -> None:
    labels = {"old": frozenset({"AWSCURRENT", "AWSPENDING"})}
    held = SecretMetadata(ARN, rotation_enabled=True, labels=labels, tags={})
    assert stops(single(metadata=held)) == []


def test_rotation_that_is_turned_off_is_a_note() -> None:
    assert notes(single(metadata=metadata(enabled=False))) == [
        "Rotation is turned off. To switch turns it on."
    ]


@pytest.mark.parametrize("engine", ["oracle", "sqlserver", "postgresql"])
def test_an_engine_without_a_function_stops_it(engine: str) -> None:
    secret = single(credential=credential(engine=engine))
    assert stops(secret)[0].startswith("UnsupportedEngine")
    assert judge(secret, DEPLOYED).strategy is None


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (InvalidSecretValue("no object"), "The secret: InvalidSecretValue: no object"),
        (
            SecretAccessDenied("the role"),
            "The secret could not be looked at with these credentials",
        ),
    ],
)
def test_a_value_that_cannot_be_read_stops_it(error: RekeyError, text: str) -> None:
    assert stops(single(credential=error))[0].startswith(text)


def test_values_that_were_not_to_be_read_leave_the_strategy_open() -> None:
    verdict = judge(single(credential=None), DEPLOYED)
    assert (verdict.could_move, verdict.strategy, verdict.switch) == (True, None, None)
    assert verdict.findings[0].todo == "Run the report again with --read-values."


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"ssl": None}, 'The key "ssl" is missing'),
        ({"ssl": False}, 'The secret says "ssl": false'),
        ({"ssl": "FALSE"}, 'The secret says "ssl": false'),
    ],
)
def test_tls_that_is_not_asked_for_is_pointed_out(keys: dict[str, Any], text: str) -> None:
    (note,) = notes(single(credential=credential(**keys)))
    assert note.startswith(text)


def test_tls_that_was_seen_to_work_is_not_pointed_out() -> None:
    assert notes(single(credential=credential(ssl=None), database=Database())) == []


def test_a_missing_port_and_database_are_fine() -> None:
    assert judge(single(credential=credential(port=None)), DEPLOYED).findings == ()


def test_a_name_that_has_no_room_for_the_suffix_stops_it() -> None:
    long = credential(username="a" * 58, masterarn=SUPERUSER)
    assert "UserNameTooLong" in stops(alternating(credential=long))[0]
    tags = metadata(tags={"rekey:strategy": "single-user"})
    assert stops(alternating(credential=long, metadata=tags)) == []


def test_a_tag_that_names_no_strategy_stops_it() -> None:
    tags = metadata(tags={"rekey:strategy": "dual-password"})
    assert "UnsupportedStrategy" in stops(single(metadata=tags))[0]


def test_a_superuser_secret_must_be_tagged_or_listed() -> None:
    superuser = alternating().superuser
    assert superuser is not None
    untagged = alternating(superuser=replace(superuser, tagged=False))
    assert "does not carry the tag" in stops(untagged)[0]
    (command,) = todo(untagged)
    assert command.startswith(f"aws secretsmanager tag-resource --secret-id {SUPERUSER} --tags")
    assert stops(alternating(superuser=replace(superuser, tagged=False, listed=True))) == []


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"host": "other.example.com"}, "another host or port"),
        ({"port": 6543}, "another host or port"),
        ({"username": "app"}, "the same user"),
    ],
)
def test_a_superuser_for_another_server_or_the_user_itself_stops_it(
    keys: dict[str, Any], reason: str
) -> None:
    other = credential(**{"username": "admin", **keys})
    secret = alternating(superuser=Superuser(SUPERUSER, other, tagged=True, listed=False))
    assert reason in stops(secret)[0]


def test_a_superuser_secret_that_is_not_there_stops_it() -> None:
    missing = Superuser(SUPERUSER, SecretNotFound("none"), tagged=False, listed=True)
    assert "SecretNotFound" in stops(alternating(superuser=missing))[0]


def test_a_key_of_ones_own_must_be_among_those_of_the_stack() -> None:
    listed = replace(DEPLOYED, kms_keys=frozenset({KEY}))
    for key in (KEY, "1"):
        assert "SecretsKmsKeyArns" in stops(single(kms_key=key))[0]
        assert judge(single(kms_key=key), listed).findings == ()
    assert "SecretsKmsKeyArns" in notes(single(kms_key="alias/mine"))[0]
    assert "SecretsKmsKeyArns" in notes(single(kms_key=KEY), Stack())[0]


def test_the_default_key_needs_nothing() -> None:
    assert judge(single(kms_key="alias/aws/secretsmanager"), DEPLOYED).findings == ()


def test_a_secret_of_rekey_has_nothing_to_do() -> None:
    verdict = judge(single(function=RotationFunction(OURS, Origin.REKEY)), DEPLOYED)
    assert (verdict.could_move, verdict.switch, verdict.back) == (True, None, None)


@pytest.mark.parametrize(
    ("origin", "text"),
    [
        (Origin.MISSING, "does not exist"),
        (Origin.OTHER, "not AWS's template"),
        (Origin.UNKNOWN, "could not be looked at"),
    ],
)
def test_another_origin_of_the_function_is_noted(origin: Origin, text: str) -> None:
    (note,) = notes(single(function=RotationFunction(TEMPLATE, origin)))
    assert text in note


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ({"EXCLUDE_CHARACTERS": ":/@\"'\\%&"}, "without the characters"),
        ({"PASSWORD_LENGTH": "24"}, "24 characters"),
        ({"EXCLUDE_PUNCTUATION": "True"}, "EXCLUDE_PUNCTUATION"),
    ],
)
def test_rules_for_passwords_that_differ_are_noted(environment: dict[str, str], text: str) -> None:
    function = RotationFunction(TEMPLATE, Origin.AWS_TEMPLATE, environment=environment)
    (note,) = notes(single(function=function))
    assert text in note


def test_the_defaults_of_aws_s_template_are_not_noted() -> None:
    environment = {"EXCLUDE_CHARACTERS": ":/@\"'\\", "PASSWORD_LENGTH": "32"}
    function = RotationFunction(TEMPLATE, Origin.AWS_TEMPLATE, environment=environment)
    assert notes(single(function=function)) == []


def test_a_function_for_a_single_user_whose_secret_names_a_superuser_is_noted() -> None:
    function = RotationFunction(TEMPLATE, Origin.AWS_TEMPLATE, for_single_user=True)
    assert "user name in the secret changes" in notes(alternating(function=function))[0]
    assert notes(single(function=function)) == []


def test_the_network_of_the_function_is_what_ours_needs() -> None:
    function = RotationFunction(
        TEMPLATE, Origin.AWS_TEMPLATE, subnets=("a", "b"), security_groups=("c",)
    )
    assert "VpcSubnetIds=a,b VpcSecurityGroupIds=c" in notes(single(function=function))[0]


@pytest.mark.parametrize(
    ("database", "reason"),
    [
        (Database(login=TlsFailed("none")), "TlsFailed"),
        (Database(superuser_login=TlsFailed("none")), "the superuser does not log in"),
        (Database(peer=Peer("admin", "app", base_exists=False)), "UserMissing"),
        (Database(peer=Peer("admin", "app", base_expired=True)), "AccountExpired"),
        (Database(peer=Peer("admin", "app", may_create_roles=False)), "MissingPrivilege"),
        (Database(peer=Peer("admin", "app", not_administered=("app",))), "may not change app."),
        (
            Database(peer=Peer("admin", "app", needs_create=(Place("SCHEMA s", "orders"),))),
            "in SCHEMA s of the database orders",
        ),
        (Database(peer=Peer("admin", "app", needs_inherit=True)), "does not inherit"),
        (Database(peer=Peer("admin", "app", settings=("log_statement",))), "log_statement"),
        (Database(peer=Peer("admin", "app", attributes=("BYPASSRLS",))), "BYPASSRLS"),
        (Database(peer=Peer("admin", "app", differs=PrivilegesDiffer("x"))), "PrivilegesDiffer"),
    ],
)
def test_what_the_server_would_refuse_stops_it(database: Database, reason: str) -> None:
    (text,) = stops(alternating(database=database))
    assert reason in text


def test_what_would_be_handed_over_is_a_note() -> None:
    peer = Peer("admin", "app", owns_in=("orders",), clone_acts_as_itself=True, clone_exists=True)
    owned, acts = notes(alternating(database=Database(peer=peer)))
    assert "owns objects in orders" in owned
    assert "runs as itself" in acts


def test_no_verdict_holds_a_password() -> None:
    for secret in (single(), alternating(), single(kms_key=KEY)):
        assert "hunter2" not in repr(judge(secret, DEPLOYED))
        assert "hunter2" not in repr(secret)
