"""Every shape of a record that is known to occur, real ones included, and any that is not."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekey.access.event import Action, Outcome, Promotion, Refusal, RefusalReason
from rekey.access.normalise import normalise
from tests.access.records import (
    ACCOUNT,
    MORNING,
    REGION,
    Record,
    arn,
    decrypt,
    denied,
    person,
    real,
    record,
    recorded,
    role,
    user,
)
from tests.unit.access.normalised import DB, KNOWN, access, accesses

STRATUS = "stratus-red-team/aws.credential-access.secretsmanager-{}.json"


def test_every_real_record_is_understood() -> None:
    found = [access(made) for made in recorded()]
    assert len(found) == 5 + 21 + 3
    assert {one.outcome for one in found} == {Outcome.DONE, Outcome.DENIED}


def test_the_real_harvest_reads_twenty_secrets_after_a_listing() -> None:
    found = [access(made) for made in real(STRATUS.format("retrieve-secrets"))]
    assert sum(one.action is Action.LIST for one in found) == 1
    assert len({one.secret for one in found if one.action is Action.READ}) == 20
    assert {one.principal.key for one in found} == {"arn:aws:iam::903144391865:user/christophe"}
    assert {one.tool.key for one in found if one.tool} == {"stratus-red-team"}
    assert {one.network.key for one in found if one.network} == {"net:253.201.144.0/24"}


def test_the_real_batch_names_no_secret_and_does_narrow() -> None:
    found = [access(made) for made in real(STRATUS.format("batch-retrieve-secrets"))]
    assert {(one.action, one.secret, one.catch_all) for one in found} == {
        (Action.BATCH, None, False)
    }


def test_real_denials_name_the_secret_in_their_text_alone() -> None:
    read = access(real("traildiscover/GetSecretValue.json")[0])
    listing = access(real("traildiscover/ListSecrets.json")[0])
    expected = "arn:aws:secretsmanager:us-east-1:111111111111:secret:TrailDiscoverSecretId"
    assert (read.secret, read.outcome) == (expected, Outcome.DENIED)
    assert (listing.secret, listing.outcome) == (None, Outcome.DENIED)
    assert read.tool is not None
    assert read.tool.key == "aws-cli@grimoire"


@pytest.mark.parametrize(
    "given_name",
    ["prod/db", DB, DB.rpartition("-")[0]],
    ids=["name", "whole ARN", "ARN without its ending"],
)
@pytest.mark.parametrize("worked", [True, False])
def test_a_secret_is_the_same_however_it_is_named(given_name: str, worked: bool) -> None:
    made = record(requestParameters={"secretId": given_name}) if worked else denied(given_name)
    assert access(made).secret == DB


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        # It looks like a whole ARN, and is the beginning of one.
        (arn("db", "master"), arn("db-master")),
        ("db-master", arn("db-master")),
        ("unknown", arn("unknown", "").rstrip("-")),
        (arn("unknown"), arn("unknown")),
        (arn("prod/db", account="999999999999"), arn("prod/db", account="999999999999")),
    ],
)
def test_what_is_known_counts_before_what_a_name_looks_like(given_name: str, expected: str) -> None:
    assert access(record(requestParameters={"secretId": given_name})).secret == expected


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("eusc-de-east-1", "aws-eusc"),
        ("us-east-1", "aws"),
    ],
)
def test_a_name_becomes_an_arn_of_the_regions_partition(region: str, partition: str) -> None:
    found = access(record(requestParameters={"secretId": "new"}, awsRegion=region)).secret
    assert found == f"arn:{partition}:secretsmanager:{region}:{ACCOUNT}:secret:new"


@pytest.mark.parametrize(
    ("address", "endpoint", "key"),
    [
        ("198.51.100.7", None, "net:198.51.100.0/24"),
        ("52.95.110.1", None, "net:52.95.110.0/24"),
        ("52.95.110.254", None, "net:52.95.110.0/24"),
        ("2a05:d018:1:2::3", None, "net:2a05:d018:1::/48"),
        ("::ffff:52.95.110.1", None, "net:52.95.110.0/24"),
        ("10.0.1.7", "vpce-1", "endpoint:vpce-1"),
        ("10.0.9.7", "vpce-1", "endpoint:vpce-1"),
        ("10.0.1.7", "vpce-2", "endpoint:vpce-2"),
        # In one's own VPC one has whatever address one likes.
        ("52.95.110.1", "vpce-2", "endpoint:vpce-2"),
        ("10.0.1.7", None, "private:10.0.1.0/24"),
        ("ecs.amazonaws.com", None, "service:ecs.amazonaws.com"),
        ("AWS Internal", None, "aws-internal"),
        ("nonsense", None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_an_address_is_believed_only_together_with_its_endpoint(
    address: str | None, endpoint: str | None, key: str
) -> None:
    source = access(record(sourceIPAddress=address, vpcEndpointId=endpoint)).network
    assert source is not None
    assert source.key == key


def test_a_table_of_autonomous_systems_makes_their_ranges_one() -> None:
    made = [record(sourceIPAddress=address) for address in ("52.95.110.1", "52.1.2.3")]
    keys = {_network(normalise(one, KNOWN, lambda _: 16509)) for one in made}
    assert keys == {"as:16509"}


def _network(found: Any) -> str:
    return str(found[0].network.key)


@pytest.mark.parametrize(
    ("agent", "key", "by_hand"),
    [
        ("Boto3/1.34.1 md/Botocore#1.34.1 ua/2.0 os/linux#5", "boto3", False),
        ("Boto3/1.35.0 md/Botocore#1.35.0 exec-env/AWS_Lambda_python3.12 x", "boto3@lambda", False),
        ("Boto3/1.35.0 md/Botocore#1.35.0 exec-env/AWS_Lambda_python3.13 x", "boto3@lambda", False),
        (
            "aws-sdk-java/2.20.1 Linux/5 exec-env/AWS_ECS_FARGATE io/s",
            "aws-sdk-java@ecs_fargate",
            0,
        ),
        ("aws-sdk-go/1.44.1 (go1.19; linux; amd64)", "aws-sdk-go", False),
        ("aws-cli/2.15 md/command#secretsmanager.get-secret-value", "aws-cli", True),
        ("aws-cli/2.15 exec-env/CloudShell md/command#x", "cloudshell", True),
        ("[aws-cli/1.18 Python/3.8 Linux/4.14]", "aws-cli", True),
        ("APN/1.0 HashiCorp/1.0 Terraform/1.5.0 aws-sdk-go-v2/1.18", "terraform", False),
        ("AwsSecretCache/1.1 aws-sdk-java/1.11", "caching-library", False),
        ("Mozilla/5.0 (X11; Linux x86_64)", "browser", True),
        ("secretsmanager.amazonaws.com", "secretsmanager.amazonaws.com", False),
        ("stratus-red-team_0a05817a-84d2-40d7-afde-8311715b1ee6", "stratus-red-team", False),
        ("curl/8.1", "curl", False),
        ("", "none", False),
        ("??", "none", False),
    ],
)
def test_a_tool_is_the_same_in_its_next_version(agent: str, key: str, by_hand: bool) -> None:
    used = access(record(userAgent=agent)).tool
    assert used is not None
    assert (used.key, used.by_hand) == (key, by_hand)


def test_the_console_is_told_by_its_session_and_not_by_its_browser() -> None:
    found = access(record(sessionCredentialFromConsole="true", userAgent="Mozilla/5.0"))
    assert found.console
    assert found.tool is not None
    assert found.tool.key == "console"


@pytest.mark.parametrize(("said", "mfa"), [("true", True), ("false", False), (None, None)])
def test_a_login_without_a_second_factor_shows(said: str | None, mfa: bool | None) -> None:
    identity = person("eve", mfaAuthenticated=said)
    assert access(record(userIdentity=identity)).mfa is mfa


@pytest.mark.parametrize(
    ("code", "message", "outcome"),
    [
        ("AccessDenied", "User: x is not authorized", Outcome.DENIED),
        ("AccessDeniedException", "User: x is not authorized", Outcome.DENIED),
        ("AccessDenied", "Access to KMS is not allowed", Outcome.KEY_DENIED),
        ("DecryptionFailure", "", Outcome.KEY_DENIED),
        ("ResourceNotFoundException", "", Outcome.NOT_FOUND),
        ("ThrottlingException", "Rate exceeded", Outcome.FAILED),
    ],
)
def test_what_came_of_a_call_is_told_apart(code: str, message: str, outcome: Outcome) -> None:
    assert access(record(errorCode=code, errorMessage=message)).outcome is outcome


@pytest.mark.parametrize("call", ["GetSecretValue", "DescribeSecret", "BatchGetSecretValue"])
def test_a_denial_on_everything_names_no_secret(call: str) -> None:
    assert access(denied("*", call)).secret is None
    assert access(denied(None, call)).secret is None


def test_a_batch_that_lists_its_secrets_is_an_access_to_each() -> None:
    asked = {"secretIdList": ["prod/db", DB, "other"]}
    found = accesses(record("BatchGetSecretValue", requestParameters=asked))
    assert [one.secret for one in found] == [DB, arn("other")]
    assert {one.event_id for one in found} == {found[0].event_id}


@pytest.mark.parametrize(
    ("asked", "everything"),
    [
        (None, True),
        ({}, True),
        ({"filters": []}, True),
        ({"filters": "nonsense"}, True),
        ({"filters": [{"key": "name", "values": ["!x"]}]}, True),
        ({"filters": [{"key": "name", "values": [""]}]}, True),
        ({"filters": [{"key": "name", "values": ["!x", "prod"]}]}, False),
        *(
            ({"filters": [{"key": key, "values": ["team"]}]}, False)
            for key in ("description", "name", "tag-key", "tag-value", "primary-region")
        ),
        *(
            ({"filters": [{"key": key, "values": ["team"]}]}, False)
            for key in ("owning-service", "all")
        ),
        ({"secretIdList": ["prod/db"]}, False),
    ],
)
def test_a_batch_that_narrows_nothing_means_everything(asked: Any, everything: bool) -> None:
    made = record("BatchGetSecretValue", requestParameters=asked)
    assert {one.catch_all for one in accesses(made)} == {everything}


def test_a_read_shows_the_version_and_the_label_that_were_asked_for() -> None:
    asked = {"secretId": DB, "versionId": "v1", "versionStage": "AWSPENDING"}
    found = access(record(requestParameters=asked))
    assert (found.version, found.stage) == ("v1", "AWSPENDING")
    plain = access(record())
    assert (plain.version, plain.stage) == (None, None)


def test_the_companion_of_a_read_tells_the_version_and_not_the_origin() -> None:
    found = access(decrypt(DB, "v1", userIdentity=role("app")))
    assert (found.action, found.secret, found.version) == (Action.DECRYPT, DB, "v1")
    assert found.principal.key == f"arn:aws:iam::{ACCOUNT}:role/app"
    assert (found.network, found.tool) == (None, None)


def test_a_refused_key_is_told_from_a_refused_secret() -> None:
    made = decrypt(DB, "v1", errorCode="AccessDenied", errorMessage="User: x")
    assert access(made).outcome is Outcome.KEY_DENIED


def test_the_companion_is_looked_up_as_any_other_so_that_a_decoy_is_known() -> None:
    asked = list[str]()

    class Names:
        def full_arn(self, partial: str) -> str | None:
            asked.append(partial)
            return None

    found = normalise(decrypt(DB, "v1"), Names())
    assert isinstance(found, tuple)
    assert (found[0].secret, asked) == (DB, [DB])


@pytest.mark.parametrize(
    "made",
    [
        {**decrypt(DB, "v1"), "userIdentity": role("app")},
        {**decrypt(DB, "v1"), "userIdentity": {**role("app"), "invokedBy": "rds.amazonaws.com"}},
        decrypt(DB, "RequestToValidateKeyAccess"),
        record("Decrypt", eventSource="kms.amazonaws.com", requestParameters=None),
        record("UpdateSecretVersionStage", requestParameters={"versionStage": "AWSPENDING"}),
    ],
    ids=[
        "somebody's own use",
        "another service's",
        "a check of the key",
        "a key used for something else",
        "another label",
    ],
)
def test_what_is_no_access_is_passed_over(made: Record) -> None:
    assert accesses(made) == ()


@pytest.mark.parametrize(
    ("call", "asked", "gained", "lost"),
    [
        (
            "UpdateSecretVersionStage",
            {
                "secretId": "prod/db",
                "versionStage": "AWSCURRENT",
                "moveToVersionId": "v2",
                "removeFromVersionId": "v1",
            },
            "v2",
            "v1",
        ),
        ("PutSecretValue", {"secretId": DB, "clientRequestToken": "v2"}, "v2", None),
        ("UpdateSecret", {"secretId": DB, "clientRequestToken": "v2"}, "v2", None),
    ],
)
def test_a_promotion_tells_which_version_lost_awscurrent(
    call: str, asked: Record, gained: str, lost: str | None
) -> None:
    found = normalise(record(call, requestParameters=asked), KNOWN)
    assert isinstance(found, Promotion)
    assert (found.secret, found.gained, found.lost) == (DB, gained, lost)
    assert found.at == MORNING


def test_a_value_that_is_only_stored_promotes_nothing() -> None:
    asked = {"secretId": DB, "clientRequestToken": "v2", "versionStages": ["AWSPENDING"]}
    assert access(record("PutSecretValue", requestParameters=asked)).action is Action.OTHER


@pytest.mark.parametrize(
    ("asked", "answered", "gained"),
    [
        ({"description": "new"}, {"arn": DB}, None),
        ({"kmsKeyId": "alias/other"}, {"arn": DB}, None),
        ({"description": "new"}, {"arn": DB, "versionId": "v2"}, "v2"),
        ({}, {"arn": DB}, "token"),
    ],
)
def test_an_update_promotes_if_it_wrote_a_value(
    asked: Record, answered: Record, gained: str | None
) -> None:
    """A token comes with every call, whether it writes a value or not."""
    asked = {"secretId": DB, "clientRequestToken": "token", **asked}
    made = record("UpdateSecret", requestParameters=asked, responseElements=answered)
    found = normalise(made, KNOWN)
    assert (found.gained if isinstance(found, Promotion) else None) == gained


def test_a_write_that_was_denied_promotes_nothing() -> None:
    assert access(denied(DB, "UpdateSecret")).outcome is Outcome.DENIED


def test_a_record_that_corrects_another_is_the_same_event() -> None:
    late = record(addendum={"reason": "DELIVERY_DELAY"}, eventID="e-1")
    corrects = {"reason": "UPDATED_DATA", "originalEventID": "e-1"}
    assert access(late).event_id == access(record(addendum=corrects)).event_id == "e-1"


def test_twins_in_two_accounts_are_one_event() -> None:
    first, second = record(sharedEventID="s"), record(sharedEventID="s")
    assert access(first).event_id == access(second).event_id == "s"


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (None, RefusalReason.NOT_AN_OBJECT),
        ([], RefusalReason.NOT_AN_OBJECT),
        ("text", RefusalReason.NOT_AN_OBJECT),
        ({}, RefusalReason.UNKNOWN_CALL),
        (record("CreateSecret"), RefusalReason.UNKNOWN_CALL),
        (record(eventSource="ssm.amazonaws.com"), RefusalReason.UNKNOWN_CALL),
        (record(eventID=None), RefusalReason.NO_EVENT_ID),
        (record(eventTime="yesterday"), RefusalReason.NO_TIME),
        (record(eventTime=17), RefusalReason.NO_TIME),
        (record(userIdentity=None), RefusalReason.NO_IDENTITY),
        (record(userIdentity={"type": "AssumedRole"}), RefusalReason.NO_IDENTITY),
        (record(awsRegion=None), RefusalReason.NO_REGION),
        (record(requestParameters=None), RefusalReason.NO_SECRET),
        (record(requestParameters={"secretId": ["list"]}), RefusalReason.NO_SECRET),
        (
            record(requestParameters={"secretId": "arn:aws:s3:::bucket"}),
            RefusalReason.NO_SECRET,
        ),
    ],
)
def test_what_cannot_be_understood_is_refused_with_a_reason(
    made: object, reason: RefusalReason
) -> None:
    found = normalise(made, KNOWN)
    assert isinstance(found, Refusal)
    assert found.reason is reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
MEMBERS = sorted({*record(), "errorCode", "errorMessage", "vpcEndpointId"})


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["GetSecretValue", "BatchGetSecretValue", "ListSecrets", "Decrypt"]),
    st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=4),
)
def test_nothing_that_a_record_may_hold_breaks_a_batch(name: str, members: Record) -> None:
    made = decrypt(DB, "v") if name == "Decrypt" else record(name)
    found = normalise({**made, **members}, KNOWN)
    assert isinstance(found, tuple | Refusal | Promotion)


def test_a_refusal_repeats_nothing_but_names() -> None:
    found = normalise(record(requestParameters={"secretId": 7}, eventID="e-1"), KNOWN)
    assert isinstance(found, Refusal)
    assert re.fullmatch(r"[\w:.-]*", found.detail)
    assert REGION not in found.detail


def test_what_a_service_calls_with_is_no_session_without_a_second_factor() -> None:
    """Every read by an access key has a companion with such a session."""
    forward = {"sessionIssuer": {}, "attributes": {"mfaAuthenticated": "false"}}
    assert (
        access(decrypt(DB, "v1", userIdentity={**user("bob"), "sessionContext": forward})).mfa
        is None
    )
    own = {**user("bob"), "sessionContext": forward}
    assert access(record(userIdentity=own)).mfa is False
