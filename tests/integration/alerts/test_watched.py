"""What the sweep sees of an account, and where it notes how far it is."""

import datetime as dt
import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.running_account import RunningAccount
from rekey.aws.watched import CloudTrails, SecretLists, SweepItems
from rekey.errors import (
    CloudTrailFailure,
    SecretAccessDenied,
    SecretsManagerFailure,
    StateTableFailure,
)
from rekey.model import Label
from rekey.watched import Canary, Progress, Trail, Watched
from tests.integration.account.conftest import Account
from tests.unit.alerts.findings import ARN, NOW

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def lists(account: RunningAccount) -> SecretLists:
    return SecretLists(account.client("secretsmanager"))


@pytest.fixture
def made(account: RunningAccount) -> Iterator[list[str]]:
    """Three secrets, gone afterwards."""
    client = account.client("secretsmanager")
    tags = [{"Key": "rekey:owner", "Value": "payments"}]
    arns = [
        client.create_secret(Name=f"sweep/{uuid.uuid4().hex[:8]}", SecretString="x", Tags=tags)[
            "ARN"
        ]
        for _ in range(3)
    ]
    yield arns
    for arn in arns:
        client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


def everything(lists: SecretLists) -> dict[str, Watched]:
    found, token = dict[str, Watched](), None
    while True:
        page = lists.page(token)
        assert page is not None
        found |= {secret.arn: secret for secret in page.secrets}
        token = page.next_token
        if token is None:
            return found


def test_every_secret_is_on_a_page(
    lists: SecretLists, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rekey.aws.watched.PAGE_SIZE", 2)
    assert set(made) <= set(everything(lists))


def test_list_and_description_show_the_same_of_a_secret(
    lists: SecretLists, made: list[str]
) -> None:
    listed = everything(lists)[made[0]]
    assert listed == lists.look(made[0])
    assert listed.tags == {"rekey:owner": "payments"}
    assert listed.holder(Label.CURRENT) is not None
    assert not listed.rotation_enabled
    assert listed.changed.tzinfo is not None
    assert not listed.replica


def test_a_secret_that_is_gone_or_going_is_not_there(
    account: RunningAccount, lists: SecretLists, made: list[str]
) -> None:
    account.client("secretsmanager").delete_secret(SecretId=made[0], RecoveryWindowInDays=7)
    assert lists.look(made[0]) is None
    assert lists.look(ARN) is None
    assert made[0] not in everything(lists)


def test_halted_secrets_are_found_by_their_tag(
    account: RunningAccount,
    lists: SecretLists,
    made: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rekey.aws.watched.PAGE_SIZE", 1)
    client, before = account.client("secretsmanager"), lists.halted()
    others = ({"rekey:halted": "false"}, {"rekey:halted-once": "true"})
    for arn, tags in zip(made, ({"rekey:halted": "true"}, *others), strict=True):
        client.tag_resource(SecretId=arn, Tags=[{"Key": k, "Value": v} for k, v in tags.items()])
    assert set(lists.halted()) - set(before) == {made[0]}


def test_a_token_that_is_taken_no_more_is_told_from_a_failure(lists: SecretLists) -> None:
    assert lists.page("no-such-token") is None


def test_a_canary_is_read_and_its_value_dropped(lists: SecretLists, made: list[str]) -> None:
    lists.read(made[0])
    with pytest.raises(SecretsManagerFailure, match="ResourceNotFoundException"):
        lists.read(ARN)


def test_what_is_denied_of_one_secret_is_told_from_a_failure(
    account: RunningAccount, made: list[str]
) -> None:
    """The account here knows no policies of secrets; a role that may only list gets the same."""
    listing = {"Effect": "Allow", "Action": "secretsmanager:ListSecrets", "Resource": "*"}
    session = Account(account).user(listing)
    lists = SecretLists(Account(account).client("secretsmanager", session))
    assert made[0] in everything(lists)
    for ask in (lists.look, lists.read):
        with pytest.raises(SecretAccessDenied, match="AccessDeniedException"):
            ask(made[0])


def test_trails_come_with_their_state_and_what_they_log(account: RunningAccount) -> None:
    client, name = account.client("cloudtrail"), f"trail-{uuid.uuid4().hex[:8]}"
    account.client("s3").create_bucket(Bucket=name)
    client.create_trail(Name=name, S3BucketName=name)
    try:
        client.put_event_selectors(
            TrailName=name,
            EventSelectors=[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}],
        )
        client.start_logging(Name=name)
        trail = trails(client)[name]
        assert trail.logging
        assert [selector["ReadWriteType"] for selector in trail.selectors] == ["WriteOnly"]
        client.stop_logging(Name=name)
        assert not trails(client)[name].logging
    finally:
        client.delete_trail(Name=name)
    assert name not in trails(client)


def trails(client: Any) -> dict[str, Trail]:
    return {trail.name: trail for trail in CloudTrails(client).here()}


class Refusing:
    """CloudTrail for the member of an organisation, whose trail is another account's."""

    def __init__(self, *, organisation: bool, code: str, of_status: bool) -> None:
        self._organisation = organisation
        self._refused = ClientError({"Error": {"Code": code, "Message": "not yours"}}, "Asked")
        self._of_status = of_status

    def describe_trails(self) -> dict[str, Any]:
        arn = "arn:aws:cloudtrail:us-east-1:000000000000:trail/none"
        flag = {"IsOrganizationTrail": self._organisation}
        return {"trailList": [{"Name": "none", "TrailARN": arn, **flag}]}

    def get_trail_status(self, **_: str) -> dict[str, Any]:
        if self._of_status:
            raise self._refused
        return {"IsLogging": True}

    def get_event_selectors(self, **_: str) -> Any:
        raise self._refused


@pytest.mark.parametrize("of_status", [True, False])
@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "CloudTrailARNInvalidException", "TrailNotFoundException"]
)
def test_the_organisations_trail_is_taken_to_be_in_order(code: str, *, of_status: bool) -> None:
    """The account here knows no organisations. The codes are those that members have reported."""
    client = partial(Refusing, code=code, of_status=of_status)
    (trail,) = CloudTrails(client(organisation=True)).here()
    assert trail.logging
    with pytest.raises(CloudTrailFailure, match=code):
        CloudTrails(client(organisation=False)).here()


@pytest.fixture
def items(account: RunningAccount, state_table: str) -> SweepItems:
    return SweepItems(account.client("dynamodb"), state_table)


def test_a_sweep_finds_again_how_far_it_was(items: SweepItems) -> None:
    for token in ("", "page-2", None):
        progress = Progress(NOW, token, secrets=100, findings=3)
        items.note(progress)
        assert items.progress() == progress


def test_a_canary_keeps_when_it_was_read_and_last_seen(items: SweepItems) -> None:
    arn = f"{ARN[:-6]}{uuid.uuid4().hex[:6]}"
    assert items.canary(arn) == Canary()
    items.note_read(arn, NOW)
    items.note_seen(arn, NOW + HOUR)
    items.note_seen(arn, NOW)
    items.note_seen(arn, NOW + HOUR)
    assert items.canary(arn) == Canary(read=NOW, seen=NOW + HOUR)


def test_a_table_that_is_not_there_is_an_error_of_ours(account: RunningAccount) -> None:
    missing = SweepItems(account.client("dynamodb"), "no-such-table")
    for call in (
        missing.progress,
        lambda: missing.note_read(ARN, NOW),
        lambda: missing.note_seen(ARN, NOW),
    ):
        with pytest.raises(StateTableFailure, match="ResourceNotFoundException"):
            call()
