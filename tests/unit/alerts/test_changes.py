"""Which changes a person hears of, and what about them."""

import contextlib
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekey.alerts import changes, service_events
from rekey.alerts.finding import Finding, Kind, Severity, Status
from rekey.alerts.record import secret_arn
from rekey.errors import InvalidEvent
from tests.unit.alerts.findings import ARN, NOW

EVENTS = Path(__file__).parents[3] / "events" / "changes"
OURS = frozenset({"arn:aws:iam::111122223333:role/rekey-rotate-postgresql"})
DEPLOY = "arn:aws:iam::111122223333:role/deploy"

TOLD = {
    "rotation_cancelled": (Kind.ROTATION_CANCELLED, Severity.MEDIUM, "switched the rotation off"),
    "rotation_function_changed": (Kind.ROTATION_CHANGED, Severity.HIGH, ":function:other"),
    "rotation_schedule_changed": (Kind.ROTATION_CHANGED, Severity.MEDIUM, '"1000"'),
    "label_moved": (Kind.LABEL_MOVED, Severity.MEDIUM, "AWSCURRENT"),
    "pending_label_removed": (Kind.LABEL_MOVED, Severity.LOW, "on no version"),
    "value_written": (Kind.VALUE_WRITTEN, Severity.MEDIUM, "AWSCURRENT"),
    "secret_updated": (Kind.VALUE_WRITTEN, Severity.MEDIUM, "wrote a value"),
    "key_changed": (Kind.KEY_CHANGED, Severity.HIGH, "of another account"),
    "policy_public": (Kind.POLICY_OPENED, Severity.CRITICAL, "every AWS account"),
    "policy_public_refused": (Kind.POLICY_OPENED, Severity.MEDIUM, "was refused"),
    "policy_other_account": (Kind.POLICY_OPENED, Severity.HIGH, "444455556666"),
    "deleted": (Kind.DELETED, Severity.MEDIUM, '"7" days'),
    "deleted_for_good": (Kind.DELETED, Severity.CRITICAL, "for good"),
    "replication_started": (Kind.REPLICATION_STARTED, Severity.MEDIUM, '"us-east-1"'),
    "replication_stopped": (Kind.REPLICATION_STOPPED, Severity.MEDIUM, "us-east-1"),
    "replica_detached": (Kind.REPLICATION_STOPPED, Severity.MEDIUM, "a secret of its own"),
    "replica_associated": (Kind.REPLICATION_STARTED, Severity.CRITICAL, "outside of the org"),
    "replica_associated_in_the_organisation": (
        Kind.REPLICATION_STARTED,
        Severity.HIGH,
        ":444455556666:",
    ),
    "replica_disassociated": (Kind.REPLICATION_STOPPED, Severity.MEDIUM, ":444455556666:"),
    "replication_failed": (Kind.REPLICATION_FAILED, Severity.HIGH, "could not copy"),
    "test_rotation_failed": (Kind.ROTATION_FAILED, Severity.LOW, "A test of the rotation"),
}
SOLVING = {
    "policy_own_account": Kind.POLICY_OPENED,
    "policy_deleted": Kind.POLICY_OPENED,
    "restored": Kind.RESTORED,
    "rotation_succeeded": Kind.ROTATION_FAILED,
    "replication_succeeded": Kind.REPLICATION_FAILED,
}
SILENT = {
    "rotation_started", "pending_value_written", "description_changed", "change_denied",
    "rotation_failed",
}  # fmt: skip


def detail(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())["detail"]
    return found


def judge(record: dict[str, Any], ours: frozenset[str] = OURS) -> Finding | None:
    if record["eventType"] == "AwsServiceEvent":
        return service_events.finding(record)
    return changes.finding(record, ours)


def told(record: dict[str, Any]) -> Finding:
    found = judge(record)
    assert found is not None
    return found


def test_every_sample_event_is_expected_to_do_something() -> None:
    assert {path.stem for path in EVENTS.glob("*.json")} == {*TOLD, *SOLVING, *SILENT}


@pytest.mark.parametrize("name", sorted(TOLD))
def test_a_change_by_somebody_else_is_told(name: str) -> None:
    kind, severity, text = TOLD[name]
    found = told(detail(name))
    assert (found.kind, found.severity, found.status) == (kind, severity, Status.OPEN)
    assert (found.secret, found.when) == (ARN, NOW)
    assert text in " ".join([found.what, *(reason.observed for reason in found.reasons)])


@pytest.mark.parametrize("name", sorted(SOLVING))
def test_what_puts_a_change_right_solves_its_incident(name: str) -> None:
    found = told(detail(name))
    assert (found.kind, found.status) == (SOLVING[name], Status.SOLVED)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("policy_public", "policy_deleted"),
        ("policy_other_account", "policy_own_account"),
        ("deleted", "restored"),
        ("replication_failed", "replication_succeeded"),
        ("test_rotation_failed", "rotation_succeeded"),
    ],
)
def test_what_solves_has_the_topic_of_what_it_solves(first: str, then: str) -> None:
    assert told(detail(first)).topic == told(detail(then)).topic


@pytest.mark.parametrize("name", sorted(SILENT))
def test_ordinary_work_and_what_did_not_happen_is_silent(name: str) -> None:
    assert judge(detail(name)) is None


@pytest.mark.parametrize(
    "name", sorted(name for name in TOLD if detail(name)["eventType"] == "AwsApiCall")
)
def test_nobody_hears_of_our_own_changes_nor_of_those_that_failed(name: str) -> None:
    assert judge(detail(name), ours=OURS | {DEPLOY}) is None
    assert judge({**detail(name), "errorCode": "InvalidRequestException"}) is None


def test_a_role_of_our_name_in_another_account_is_not_ours() -> None:
    record = detail("value_written")
    (ours,) = OURS
    issuer = record["userIdentity"]["sessionContext"]["sessionIssuer"]
    issuer["arn"] = ours
    assert judge(record) is None
    issuer["arn"] = ours.replace("111122223333", "999999999999")
    assert judge(record) is not None


def test_what_a_service_of_aws_does_on_its_own_is_silent() -> None:
    service = {"type": "AWSService", "invokedBy": "rds.amazonaws.com"}
    assert judge({**detail("value_written"), "userIdentity": service}) is None


def linked(role: str, service: str) -> dict[str, Any]:
    """Who calls with the service-linked role of a service."""
    arn = f"arn:aws:iam::111122223333:role/{role}"
    issuer = {"type": "Role", "accountId": "111122223333", "arn": arn, "userName": "linked"}
    return {
        "type": "AssumedRole",
        "principalId": "AROAEXAMPLE:session",
        "arn": "arn:aws:sts::111122223333:assumed-role/linked/session",
        "accountId": "111122223333",
        "sessionContext": {"sessionIssuer": issuer},
        **({"invokedBy": service} if service else {}),
    }


@pytest.mark.parametrize(
    ("role", "service", "silent"),
    [
        ("aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS", "rds.amazonaws.com", True),
        ("aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS", "", False),
        ("aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS", "ecs.amazonaws.com", False),
        ("service-role/rds.amazonaws.com/AWSServiceRoleForRDS", "rds.amazonaws.com", False),
    ],
)
def test_a_service_that_acts_by_its_own_role_is_silent_and_nobody_passes_for_one(
    role: str, service: str, *, silent: bool
) -> None:
    found = judge({**detail("value_written"), "userIdentity": linked(role, service)})
    assert (found is None) is silent


def test_the_reader_learns_role_session_address_and_tool() -> None:
    found = told(detail("value_written"))
    assert found.what.startswith(
        'The role "deploy", session "jane.doe@example.com", of the account "111122223333" wrote'
    )
    who = found.reasons[-1].observed
    assert "203.0.113.24" in who
    assert "aws-cli/2.31.0" in who


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        (
            {"type": "Root", "accountId": "111122223333"},
            'The root user of the account "111122223333"',
        ),
        (
            {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/eve", "userName": "eve"},
            'The user "eve"',
        ),
        (
            {"type": "AWSAccount", "accountId": "444455556666", "principalId": "AROA1:s"},
            '"444455556666"',
        ),
        ({}, "Somebody whom the record does not name"),
    ],
)
def test_every_kind_of_caller_has_a_name(identity: dict[str, Any], name: str) -> None:
    assert name in told({**detail("value_written"), "userIdentity": identity}).what


PLACES = [
    {"additionalEventData": {"SecretId": ARN}},
    {"additionalEventData": {"ARN": ARN}},
    {"serviceEventDetails": {"secretId": ARN}},
    {
        "resources": [
            {"type": "AWS::KMS::Key", "ARN": "arn:aws:kms:eu-west-1:1:key/x"},
            {"ARN": ARN},
        ]
    },
    {"responseElements": {"arn": ARN}},
    {"responseElements": {"aRN": ARN}},
    {"requestParameters": {"secretId": ARN}},
    {"responseElements": {"arn": ARN}, "requestParameters": {"secretId": ARN[:-7]}},
    {"additionalEventData": None, "resources": None, "responseElements": {"arn": ARN}},
]


@pytest.mark.parametrize("place", PLACES)
def test_the_arn_is_found_wherever_it_stands(place: dict[str, Any]) -> None:
    assert secret_arn(place) == ARN


def test_a_secret_that_another_service_manages_is_one_like_any_other() -> None:
    managed = ARN.replace("app/db", "rds!cluster-0a1b2c")
    assert secret_arn({"serviceEventDetails": {"secretId": managed}}) == managed


@pytest.mark.parametrize(
    "record",
    [{}, {"requestParameters": {"secretId": "app/db"}}, {"resources": "x"}, {"resources": [1]}],
)
def test_what_is_no_arn_is_not_taken_for_one(record: dict[str, Any]) -> None:
    assert secret_arn(record) is None


def test_a_secret_that_is_only_named_is_told_by_its_name() -> None:
    found = told({**detail("replica_detached"), "responseElements": None})
    assert found.secret is None
    assert '"app/db"' in found.what
    assert "111122223333/eu-west-1/app/db" in found.topic


@pytest.mark.parametrize("lost", ["eventTime", "eventID"])
def test_a_record_without_what_every_record_has_is_refused(lost: str) -> None:
    record = detail("value_written")
    del record[lost]
    with pytest.raises(InvalidEvent):
        judge(record)


def test_a_service_event_that_names_no_secret_is_refused() -> None:
    with pytest.raises(InvalidEvent):
        service_events.finding({**detail("rotation_succeeded"), "additionalEventData": {}})


def test_twins_of_one_event_are_one_occurrence() -> None:
    one, other = detail("value_written"), detail("value_written")
    one |= {"eventID": "a", "sharedEventID": "s"}
    other |= {"eventID": "b", "sharedEventID": "s"}
    assert told(one).occurrence == told(other).occurrence


def with_policy(policy: object) -> dict[str, Any]:
    record = copy.deepcopy(detail("policy_public"))
    record["requestParameters"]["resourcePolicy"] = policy
    return record


def statement(principal: Any, condition: Any = None, **more: Any) -> str:
    one = {"Effect": "Allow", "Principal": principal, "Action": "*", "Resource": "*", **more}
    return json.dumps({"Statement": one | ({"Condition": condition} if condition else {})})


OWN, OTHER = "111122223333", "444455556666"
OPENED = [
    (statement("*"), Severity.CRITICAL),
    (statement({"AWS": "*"}), Severity.CRITICAL),
    (statement({"AWS": ["arn:aws:iam::111122223333:root", "*"]}), Severity.CRITICAL),
    (statement({}, NotPrincipal={"AWS": OTHER}), Severity.CRITICAL),
    (statement("*", {"StringNotEquals": {"aws:PrincipalAccount": OTHER}}), Severity.CRITICAL),
    (
        statement("*", {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}}),
        Severity.CRITICAL,
    ),
    (statement("*", {"StringEqualsIfExists": {"aws:PrincipalAccount": OWN}}), Severity.CRITICAL),
    (
        statement("*", {"ForAllValues:StringEquals": {"aws:PrincipalOrgPaths": "o-1/*"}}),
        Severity.CRITICAL,
    ),
    (
        statement("*", {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/0"]}}),
        Severity.CRITICAL,
    ),
    (statement("*", {"Bool": {"aws:SecureTransport": "true"}}), Severity.CRITICAL),
    (statement("*", {"StringEquals": {"aws:PrincipalOrgID": "o-abc123"}}), Severity.HIGH),
    (
        statement("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/r-1/*"}}),
        Severity.HIGH,
    ),
    (statement("*", {"StringEquals": {"AWS:principalaccount": [OWN, OTHER]}}), Severity.HIGH),
    (statement({"AWS": OTHER}), Severity.HIGH),
    (statement({"AWS": f"arn:aws:sts::{OTHER}:assumed-role/a/b"}), Severity.HIGH),
    ("{", Severity.MEDIUM),
    (None, Severity.MEDIUM),
    (json.dumps({"Statement": [1]}), Severity.MEDIUM),
]


@pytest.mark.parametrize(("policy", "severity"), OPENED)
def test_a_policy_that_lets_others_in_is_told(policy: object, severity: Severity) -> None:
    found = told(with_policy(policy))
    assert (found.status, found.severity) == (Status.OPEN, severity)


@pytest.mark.parametrize(
    "policy",
    [
        statement({"AWS": f"arn:aws:iam::{OWN}:root"}),
        statement({"AWS": OWN}),
        statement({"Service": "rds.amazonaws.com"}),
        statement("*", {"StringEquals": {"aws:PrincipalAccount": OWN}}),
        statement("*", {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/*"}}),
        statement("*", {"StringEquals": {"aws:SourceVpce": "vpce-1a2b"}}),
        statement("*", Effect="Deny"),
        json.dumps({"Statement": []}),
    ],
)
def test_a_policy_for_this_account_only_solves(policy: str) -> None:
    assert told(with_policy(policy)).status is Status.SOLVED


JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=20) | st.sampled_from(["*", OTHER, ARN]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
)


@given(name=st.sampled_from(sorted(changes.JUDGES)), asked=JSON, answered=JSON, who=JSON)
def test_no_record_however_odd_breaks_the_judgement(
    name: str, asked: Any, answered: Any, who: Any
) -> None:
    odd = {"eventName": name, "requestParameters": asked, "responseElements": answered}
    with contextlib.suppress(InvalidEvent):
        judge({**detail("value_written"), "userIdentity": who, **odd})


@given(evil=st.text(max_size=300))
def test_nothing_that_a_caller_chose_leaves_its_line_or_its_quotes(evil: str) -> None:
    record = detail("label_moved")
    record["requestParameters"]["versionStage"] = evil
    record["userAgent"] = record["sourceIPAddress"] = evil
    found = told(record)
    for line in (found.what, *(reason.observed for reason in found.reasons)):
        assert line.isprintable()
        assert line.count('"') % 2 == 0 or line.endswith("...")
