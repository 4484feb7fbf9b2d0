"""Who calls: the same one tomorrow, and nobody passes for another."""

import pytest

from tests.access.records import ACCOUNT, Record, decrypt, person, record, role, user
from tests.unit.access.normalised import DB, access


@pytest.mark.parametrize(
    ("identity", "kind", "key"),
    [
        (role("app"), "role", f"arn:aws:iam::{ACCOUNT}:role/app"),
        (role("app", "another-task"), "role", f"arn:aws:iam::{ACCOUNT}:role/app"),
        (person("eve@example.com"), "person", f"person:{ACCOUNT}:Developer:eve@example.com"),
        (user("bob"), "user", f"arn:aws:iam::{ACCOUNT}:user/bob"),
        ({"type": "Root", "accountId": ACCOUNT, "arn": "any"}, "root", f"root:{ACCOUNT}"),
        (
            {"type": "FederatedUser", "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/al"},
            "federated",
            f"arn:aws:sts::{ACCOUNT}:federated-user/al",
        ),
        (
            {"type": "WebIdentityUser", "principalId": "accounts.google.com:x:y"},
            "federated",
            "accounts.google.com:x:y",
        ),
        (
            {"type": "IdentityCenterUser", "onBehalfOf": {"userId": "u-1"}, "accountId": ACCOUNT},
            "federated",
            "u-1",
        ),
        (
            {"type": "AWSAccount", "accountId": "999999999999", "principalId": "AROAX:session"},
            "account",
            "account:999999999999:AROAX",
        ),
        (
            {"type": "AWSService", "invokedBy": "rds.amazonaws.com"},
            "service",
            "service:rds.amazonaws.com",
        ),
        ({"invokedBy": "ecs.amazonaws.com"}, "service", "service:ecs.amazonaws.com"),
        ({"type": "Unheard", "principalId": "x"}, "unknown", "x"),
        (
            {"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/i-1"},
            "role",
            f"arn:aws:iam::{ACCOUNT}:role/app",
        ),
    ],
)
def test_a_caller_is_the_same_tomorrow(identity: Record, kind: str, key: str) -> None:
    found = access(record(userIdentity=identity)).principal
    assert (found.kind, found.key) == (kind, key)


SSO_PATH = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/"
SSO_NAME = "AWSReservedSSO_Developer_0123456789abcdef"


def issued(arn_of_role: str, session: str = "ann@example.com") -> Record:
    made = role(arn_of_role.rpartition("/")[2], session)
    return {**made, "sessionContext": {"sessionIssuer": {"arn": arn_of_role}}}


def test_a_person_is_the_same_in_every_region_of_the_identity_center() -> None:
    keys = {
        access(record(userIdentity=identity)).principal.key
        for identity in (
            person("ann@example.com"),
            issued(f"{SSO_PATH}{SSO_NAME}"),
            issued(f"{SSO_PATH}eu-west-1/{SSO_NAME}"),
        )
    }
    assert keys == {f"person:{ACCOUNT}:Developer:ann@example.com"}


@pytest.mark.parametrize(
    "identity",
    [
        issued(f"arn:aws:iam::{ACCOUNT}:role/x-{SSO_NAME}"),
        issued(f"arn:aws:iam::{ACCOUNT}:role/{SSO_NAME}"),
        issued(f"arn:aws:iam::{ACCOUNT}:role/x/aws-reserved/sso.amazonaws.com/{SSO_NAME}"),
        issued(f"{SSO_PATH}x-{SSO_NAME}"),
        issued(f"{SSO_PATH}{SSO_NAME}-x"),
        {
            "type": "AssumedRole",
            "principalId": "AROAX:ann@example.com",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{SSO_NAME}/ann@example.com",
        },
    ],
)
def test_nobody_becomes_a_person_by_the_name_of_a_role_and_a_session(identity: Record) -> None:
    found = access(record(userIdentity=identity)).principal
    assert found.kind == "role"
    assert found.key.startswith(f"arn:aws:iam::{ACCOUNT}:role/")


def test_a_read_by_a_service_linked_role_and_its_companion_are_of_one_principal() -> None:
    issuer = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"
    linked = {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSServiceRoleForRDS/RDS",
        "accountId": ACCOUNT,
        "sessionContext": {"sessionIssuer": {"arn": issuer}},
    }
    read = access(record(userIdentity={**linked, "invokedBy": "rds.amazonaws.com"}))
    companion = access(decrypt(DB, "v1", userIdentity=linked))
    assert (read.principal.kind, read.principal.key) == ("service", "service:rds.amazonaws.com")
    assert companion.principal == read.principal
