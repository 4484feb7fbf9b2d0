"""What a subscriber of the deployed stack gets to know, each function under its own role."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rekey.alerts.crowds import QUIET
from rekey.crowd import ONE_BY_ONE
from tests.conftest import Deployed
from tests.documents import document
from tests.end_to_end.application import wait_for
from tests.end_to_end.aws_command import run_command
from tests.inbox import Inbox

OPERATIONS = document("operations.md")
SCHEDULED = Path(__file__).parents[2] / "events" / "sweep_secrets" / "schedule.json"
PUBLIC = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": "*",
        }
    ],
}


@pytest.fixture
def secret(deployed: Deployed) -> Iterator[str]:
    client = deployed.account.client("secretsmanager")
    tags = [{"Key": "rekey:owner", "Value": "payments"}]
    arn = client.create_secret(
        Name=f"alerts/{secrets.token_hex(4)}", SecretString=secrets.token_hex(8), Tags=tags
    )["ARN"]
    yield str(arn)
    client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


@pytest.fixture
def inbox(deployed: Deployed, secret: str) -> Inbox:
    """Who has asked to hear of this secret only."""
    policy = json.dumps({"secret": [secret]})
    return Inbox.make(deployed.account).subscribe(deployed.alerts_topic_arn, FilterPolicy=policy)


def told(inbox: Inbox, count: int) -> list[dict[str, Any]]:
    return [json.loads(note["Message"]) for note in inbox.first(count)]


def state(deployed: Deployed, name: str) -> dict[str, Any]:
    key = {"pk": {"S": name}, "sk": {"S": "state"}}
    client = deployed.account.client("dynamodb")
    item: dict[str, Any] = client.get_item(TableName=deployed.state_table, Key=key).get("Item", {})
    return item


def sweep(deployed: Deployed) -> dict[str, Any]:
    """A sweep from its beginning, as the schedule starts it."""
    key = {"pk": {"S": "sweep"}, "sk": {"S": "state"}}
    deployed.account.client("dynamodb").delete_item(TableName=deployed.state_table, Key=key)
    answer = deployed.account.client("lambda").invoke(
        FunctionName="rekey-sweep-secrets", Payload=SCHEDULED.read_bytes()
    )
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload


def later() -> None:
    """Records tell whole seconds: what happens within one has no order."""
    second = int(time.time())
    wait_for(lambda: int(time.time()) > second + 1, "another second")


def test_a_policy_for_everybody_is_told_at_once_and_so_is_its_end(
    deployed: Deployed, secret: str, inbox: Inbox
) -> None:
    client = deployed.account.client("secretsmanager")
    client.put_resource_policy(SecretId=secret, ResourcePolicy=json.dumps(PUBLIC))
    (opened,) = told(inbox, 1)
    assert (opened["kind"], opened["severity"], opened["owner"]) == (
        "policy-opened", "critical", "payments",
    )  # fmt: skip
    later()
    client.delete_resource_policy(SecretId=secret)
    _, over = told(inbox, 2)
    assert (over["status"], over["incident"]) == ("solved", opened["incident"])


def test_what_is_written_by_hand_is_told_and_repeats_are_folded_in(
    deployed: Deployed, secret: str, inbox: Inbox
) -> None:
    client = deployed.account.client("secretsmanager")
    value = secrets.token_hex(16)
    for _ in range(3):
        client.put_secret_value(SecretId=secret, SecretString=value)
    client.delete_secret(SecretId=secret, RecoveryWindowInDays=7)
    later()
    client.restore_secret(SecretId=secret)
    kinds = [finding["kind"] for finding in told(inbox, 3)]
    assert sorted(kinds) == ["deleted", "restored", "value-written"]
    assert value not in json.dumps(inbox.messages)


def test_what_a_recovery_could_not_do_reaches_a_person(
    deployed: Deployed, secret: str, inbox: Inbox
) -> None:
    """The message is what the workflow recover sends at its end."""
    end = {"secretId": secret, "outcome": "needs-person", "action": "escalate"}
    detail = {**end, "happened": "setSecret failed", "reason": "Nothing logs in.", "advice": "Ask."}
    body = {
        "id": "run-1",
        "source": "rekey",
        "detail-type": "Rekey Recovery",
        "time": "2026-11-24T12:00:00Z",
        "detail": detail,
    }
    sqs = deployed.account.client("sqs")
    url = sqs.get_queue_url(QueueName="rekey-events")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))
    (finding,) = told(inbox, 1)
    assert (finding["kind"], finding["nextSteps"]) == ("needs-person", ["Ask."])
    assert "Nothing logs in." in finding["what"]


def test_nobody_closes_an_incident_by_an_event_that_claims_to_be_ours(
    deployed: Deployed, secret: str, inbox: Inbox
) -> None:
    """Many may put events on the bus; what a recovery says comes another way."""
    forged = {"secretId": secret, "outcome": "recovered", "action": "clear"}
    entry = {"Source": "rekey", "DetailType": "Rekey Recovery", "Detail": json.dumps(forged)}
    deployed.account.client("events").put_events(Entries=[entry])
    client = deployed.account.client("secretsmanager")
    client.put_secret_value(SecretId=secret, SecretString=secrets.token_hex(16))
    (finding,) = told(inbox, 1)
    assert finding["kind"] == "value-written"


def test_the_sweep_finds_a_halted_secret_and_does_not_take_it_for_mended_without_the_tag(
    deployed: Deployed, secret: str, inbox: Inbox
) -> None:
    client = deployed.account.client("secretsmanager")
    client.tag_resource(SecretId=secret, Tags=[{"Key": "rekey:halted", "Value": "true"}])
    assert sweep(deployed)["outcome"] == "finished"
    (halted,) = told(inbox, 1)
    assert (halted["kind"], halted["severity"]) == ("halted", "high")
    client.untag_resource(SecretId=secret, TagKeys=["rekey:halted"])
    sweep(deployed)
    assert told(inbox, 1) == [halted]


@pytest.fixture
def many(deployed: Deployed) -> Iterator[list[str]]:
    """More halted secrets of one owner than are told one by one."""
    client, owner = deployed.account.client("secretsmanager"), f"team-{secrets.token_hex(4)}"
    tags = {"rekey:halted": "true", "rekey:owner": owner}
    arns = [
        client.create_secret(
            Name=f"{owner}/{number}",
            SecretString=secrets.token_hex(8),
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )["ARN"]
        for number in range(ONE_BY_ONE + 5)
    ]
    yield arns
    for arn in arns:
        client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


def test_very_many_at_once_are_told_together_and_where_all_of_them_are_to_be_found(
    deployed: Deployed, many: list[str]
) -> None:
    owner = many[0].split(":secret:")[1].split("/")[0]
    inbox = Inbox.make(deployed.account).subscribe(
        deployed.alerts_topic_arn, FilterPolicy=json.dumps({"owner": [owner]})
    )
    sweep(deployed)
    time_has_passed_since_the_last_one(deployed, owner)
    for _ in range(2):
        sweep(deployed)
    *alone, together = told(inbox, ONE_BY_ONE + 1)
    assert [finding["kind"] for finding in alone] == ["halted"] * ONE_BY_ONE
    assert (together["kind"], together["severity"]) == ("many-at-once", "high")
    assert f"Rotation halted: {len(many)} secrets" in together["what"]
    assert together["what"].count(owner) == 5
    command = next(line for line in OPERATIONS.splitlines() if "aws dynamodb scan" in line)
    listed = run_command(deployed.account, command.replace("STATE_TABLE", deployed.state_table))
    found = {item["pk"]["S"].removeprefix("incident#rotation/") for item in listed["Items"]}
    assert found >= set(many)


def time_has_passed_since_the_last_one(deployed: Deployed, owner: str) -> None:
    client, name = deployed.account.client("dynamodb"), deployed.state_table
    today = f"crowd#{datetime.now(UTC):%Y-%m-%d}"
    client.update_item(
        TableName=name,
        Key={"pk": {"S": today}, "sk": {"S": f"halted#high#open#{owner}"}},
        UpdateExpression="ADD #last :before",
        ConditionExpression="attribute_exists(pk)",
        ExpressionAttributeNames={"#last": "last"},
        ExpressionAttributeValues={":before": {"N": str(-int(QUIET.total_seconds()))}},
    )


def test_a_canary_is_heard_through_rule_queue_and_function(deployed: Deployed, secret: str) -> None:
    client = deployed.account.client("secretsmanager")
    client.tag_resource(SecretId=secret, Tags=[{"Key": "rekey:canary", "Value": "true"}])
    sweep(deployed)
    heard = wait_for(lambda: state(deployed, f"canary#{secret}").get("seen"), "the canary")
    assert int(heard["N"]) >= int(state(deployed, f"canary#{secret}")["read"]["N"])


def test_without_a_trail_the_sweep_says_that_rekey_is_blind(deployed: Deployed) -> None:
    inbox = Inbox.make(deployed.account).subscribe(
        deployed.alerts_topic_arn, FilterPolicy='{"kind": ["no-trail"]}'
    )
    sweep(deployed)
    trail, client = f"trail-{secrets.token_hex(4)}", deployed.account.client("cloudtrail")
    client.create_trail(Name=trail, S3BucketName="not-looked-at")
    client.start_logging(Name=trail)
    sweep(deployed)
    assert told(inbox, 1)[-1]["status"] == "solved"
    client.delete_trail(Name=trail)
