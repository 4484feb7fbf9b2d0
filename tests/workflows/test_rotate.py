"""One secret or many, rotated as one through the deployed workflow."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from local.postgres import Postgres
from rekey.aws.access_state import AccessState
from rekey.known import Item, merge, reader_key, secret_key
from rekey.model import Strategy, Workflow
from tests.conftest import Deployed
from tests.end_to_end.application import Application, Document, retries
from tests.end_to_end.mysql_application import MysqlApplication
from tests.inbox import Inbox
from tests.workflows.campaigns import attached, campaign, ring
from tests.workflows.runs import runs, shortened
from tests.workflows.troubles import break_login, weaken_the_superuser


@pytest.fixture(autouse=True)
def _shortened(deployed: Deployed) -> Iterator[None]:
    with shortened(deployed, 0.02):
        yield


@pytest.fixture
def apps(deployed: Deployed, postgres: Postgres) -> list[Application]:
    made = [Application(deployed, postgres, alternating=n % 2 == 1) for n in range(3)]
    return [attached(app) for app in made]


def password(app: Any) -> str:
    return str(app.value("AWSCURRENT")["password"])


def arns(apps: list[Application]) -> list[str]:
    return [app.arn for app in apps]


def test_many_secrets_are_rotated_and_each_is_told_of(
    deployed: Deployed, apps: list[Application]
) -> None:
    before = [password(app) for app in apps]
    ended = campaign(deployed, secretIds=arns(apps), soakSeconds=60)
    assert ended.stands, (ended.run.get("error"), ended.run.get("cause"), ended.summary)
    assert ended.summary["counts"] == {"rotated": 3}
    for app, old in zip(apps, before, strict=True):
        assert password(app) != old
        assert app.logs_in("AWSCURRENT")
        assert "AWSCURRENT" in app.labels()[ended.of(app.arn)["versionId"]]


def test_people_hear_once_what_became_of_a_campaign(
    deployed: Deployed, apps: list[Application]
) -> None:
    policy = json.dumps({"kind": ["campaign-result"]})
    inbox = Inbox.make(deployed.account).subscribe(deployed.alerts_topic_arn, FilterPolicy=policy)
    ended = campaign(deployed, secretIds=arns(apps), soakSeconds=0)
    name = ended.run["name"]

    def about_it(messages: list[Document]) -> bool:
        return any(name in message["Message"] for message in messages)

    (told,) = [json.loads(m["Message"]) for m in inbox.until(about_it) if name in m["Message"]]
    assert "3 rotated" in told["what"]


def test_a_tag_is_matched_exactly(deployed: Deployed, apps: list[Application]) -> None:
    for app, value in zip(apps, ("blue", "blue", "blueish"), strict=True):
        app.client.tag_resource(SecretId=app.arn, Tags=[{"Key": "wave", "Value": value}])
    ended = campaign(deployed, tag={"key": "wave", "value": "blue"}, soakSeconds=0)
    assert {secret["secretId"] for secret in ended.summary["secrets"]} == set(arns(apps[:2]))


def test_a_dry_run_checks_every_login_and_changes_nothing(
    deployed: Deployed, apps: list[Application]
) -> None:
    before = [(app.labels(), password(app)) for app in apps]
    assert campaign(deployed, secretIds=arns(apps), dryRun=True).stands
    assert [(app.labels(), password(app)) for app in apps] == before
    break_login(apps[0])
    ended = campaign(deployed, secretIds=arns(apps), dryRun=True)
    assert not ended.stands
    assert ended.of(apps[0].arn)["error"] == "CredentialsRejected"
    assert ended.summary["counts"] == {"refused": 1, "wouldRotate": 2}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "either secretIds or tag"),
        ({"secretIds": ["nowhere"]}, "no secret nowhere"),
        ({"secretIds": []}, "secretIds is empty"),
        ({"tag": {"key": "none", "value": "at all"}}, "No secret carries the tag"),
        ({"secretIds": ["x"], "maxConcurency": 3}, "no setting 'maxConcurency'"),
        ({"secretIds": ["x"], "maxPerHost": 0}, "maxPerHost must be"),
        ({"secretIds": ["x"], "compromised": True, "soakSeconds": 9}, "does not go with"),
        ({"secretIds": ["x"], "healthAlarms": ["none"]}, "no alarm none"),
        ({"secretIds": ["x"], "onFailure": "explode"}, "onFailure must be one of"),
    ],
)
def test_wrong_input_fails_at_once_and_says_what_is_wrong(
    deployed: Deployed, settings: Document, said: str
) -> None:
    ended = campaign(deployed, **settings)
    assert (ended.run["status"], ended.run["error"]) == ("FAILED", "InvalidCampaign")
    assert said in ended.run["cause"]


def test_what_is_not_ours_to_rotate_is_refused_and_the_others_are_rotated(
    deployed: Deployed, apps: list[Application], postgres: Postgres
) -> None:
    loose = Application(deployed, postgres)
    ended = campaign(deployed, secretIds=[loose.arn, apps[0].arn], soakSeconds=0)
    assert not ended.stands
    assert ended.became(loose.arn) == "refused"
    assert ended.became(apps[0].arn) == "rotated"
    assert loose.arn in ended.run["cause"]


def test_after_a_failure_no_other_rotation_begins_if_it_is_to_stop(
    deployed: Deployed, apps: list[Application]
) -> None:
    break_login(apps[0])
    ended = campaign(
        deployed, secretIds=arns(apps), maxConcurrency=1, onFailure="stop", soakSeconds=0
    )
    assert [ended.became(arn) for arn in arns(apps)] == ["refused", "skipped", "skipped"]


def test_rotations_at_once_on_one_server_are_bounded(
    deployed: Deployed, apps: list[Application]
) -> None:
    since = apps[0].next_record()
    ended = campaign(deployed, secretIds=arns(apps), maxPerHost=1, soakSeconds=0)
    assert ended.stands, (ended.run.get("error"), ended.run.get("cause"), ended.summary)
    events = deployed.account.control(f"records?after={since}")["records"]
    at_work, most, of_all = 0, 0, arns(apps)
    for event in events:
        if any(arn in json.dumps(event) for arn in of_all):
            at_work += event["eventName"] == "RotationStarted"
            most = max(most, at_work)
            at_work -= is_promotion(event)
    assert (most, at_work) == (1, 0)


def is_promotion(event: dict[str, Any]) -> bool:
    """Then the work on the server is over; the service notes the end of the rotation later."""
    asked = event.get("requestParameters") or {}
    moved = event["eventName"] == "UpdateSecretVersionStage" and asked.get("moveToVersionId")
    return bool(moved) and asked.get("versionStage") == "AWSCURRENT"


def test_compromised_passwords_stop_working_with_every_strategy(
    deployed: Deployed, apps: list[Application], mariadb: Any
) -> None:
    dual = attached(MysqlApplication(deployed, mariadb, "mariadb", Strategy.DUAL_PASSWORD))
    everyone = [*apps, dual]
    before = [app.value("AWSCURRENT") for app in everyone]
    ended = campaign(deployed, secretIds=[app.arn for app in everyone], compromised=True)
    assert ended.stands, (ended.run.get("error"), ended.run.get("cause"), ended.summary)
    for app, old in zip(everyone, before, strict=True):
        assert app.refusal(old["username"], old["password"]) is not None
        current = app.value("AWSCURRENT")
        assert app.refusal(current["username"], current["password"]) is None
        assert ended.of(app.arn)["works"] == working(app)


def test_of_a_compromised_secret_that_is_not_ours_every_password_counts_as_unknown(
    deployed: Deployed, postgres: Postgres
) -> None:
    loose = Application(deployed, postgres)
    ended = campaign(deployed, secretIds=[loose.arn], compromised=True)
    assert not ended.stands
    assert ended.became(loose.arn) == "refused"
    assert (ended.of(loose.arn)["works"], ended.of(loose.arn)["unknown"]) == ([], [*loose.labels()])
    assert "passwords that were in use may still work" in ended.run["cause"]


def working(app: Any) -> list[str]:
    """The versions whose passwords log in, AWSCURRENT first."""
    found = []
    for label in ("AWSCURRENT", "AWSPREVIOUS"):
        value = app.value(label)
        if app.refusal(value["username"], value["password"]) is None:
            found.append(next(v for v, labels in app.labels().items() if label in labels))
    return found


def test_an_alarm_while_soaking_brings_the_former_passwords_back(
    deployed: Deployed, apps: list[Application]
) -> None:
    before = [app.value("AWSCURRENT") for app in apps]
    ring(deployed, "orders-errors", "ALARM")
    ended = campaign(
        deployed, secretIds=arns(apps), healthAlarms=["orders-errors"], soakSeconds=120
    )
    assert not ended.stands
    assert ended.summary["alarms"] == ["orders-errors"]
    assert ended.summary["counts"] == {"rolledBack": 3}, ended.summary
    for app, old in zip(apps, before, strict=True):
        assert app.value("AWSCURRENT") == old
        assert app.logs_in("AWSCURRENT")


def test_what_stands_is_watched_and_rolled_back_although_others_were_refused_or_failed(
    deployed: Deployed, apps: list[Application]
) -> None:
    """The one that fails is rolled back at once, and not again when the alarm goes off."""
    refused, failing, standing = apps
    before = standing.value("AWSCURRENT")
    break_login(refused)
    weaken_the_superuser(failing)
    ring(deployed, "carts-errors", "ALARM")
    with retries(deployed, 1):
        ended = campaign(
            deployed, secretIds=arns(apps), healthAlarms=["carts-errors"], soakSeconds=120
        )
    assert [ended.became(arn) for arn in arns(apps)] == ["refused", "rolledBack", "rolledBack"]
    assert ended.summary["alarms"] == ["carts-errors"]
    assert standing.value("AWSCURRENT") == before
    assert standing.logs_in("AWSCURRENT")
    rolled_back = [run for run in runs(failing, Workflow.RECOVER) if "campaign-" in run["name"]]
    assert len(rolled_back) == 1


@contextmanager
def denied(app: Application, action: str) -> Iterator[None]:
    """The role of its rotation function may not do this with the secret."""
    iam, functions = (app.deployed.account.client(name) for name in ("iam", "lambda"))
    role = functions.get_function_configuration(FunctionName=app.function_arn)["Role"]
    which = {"RoleName": role.rpartition("/")[2], "PolicyName": "denied"}
    statement = {"Effect": "Deny", "Action": action, "Resource": app.arn}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_role_policy(**which, PolicyDocument=json.dumps(policy))
    try:
        yield
    finally:
        iam.delete_role_policy(**which)


def test_nothing_is_undone_of_a_rotation_that_has_stored_no_value(
    deployed: Deployed, apps: list[Application]
) -> None:
    (app, *_), before = apps, [app.labels() for app in apps]
    with (
        denied(app, "secretsmanager:PutSecretValue"),
        retries(deployed, 1),
        shortened(deployed, 0.002),  # It is looked at for more than half an hour.
    ):
        ended = campaign(deployed, secretIds=[app.arn], soakSeconds=0)
    result = ended.of(app.arn)
    assert result["became"] == "failed"
    assert "Nothing is to be undone" in result["reason"]
    assert {v: held for v, held in app.labels().items() if held} == before[0]
    assert app.logs_in("AWSCURRENT")


def use_old_version(deployed: Deployed, app: Application) -> str:
    """The role of a consumer that will be given what is AWSCURRENT now, once it is so no more.

    What the records of that would leave in the table; a record of the rotation may come late.
    """
    dynamodb = deployed.account.client("dynamodb")
    (table,) = [name for name in dynamodb.list_tables()["TableNames"] if "StateTable" in name]
    state, now, role = AccessState(dynamodb, table), int(time.time()), f"role/{app.name}"
    version = next(v for v, labels in app.labels().items() if "AWSCURRENT" in labels)
    reader, secret = reader_key(app.arn, role), secret_key(app.arn)
    held = state.load([secret], latest=True).get(secret, Item(secret))
    lost = Item(secret, maxima={f"l:{version}": now}, expires=now + 86_400)
    assert state.save(merge(held, lost))
    assert state.save(Item(reader, maxima={f"v:{version}": now + 600}, expires=now + 86_400))
    return role


def test_consumers_of_the_old_version_bring_it_back_if_that_is_asked_for(
    deployed: Deployed, apps: list[Application]
) -> None:
    before = [app.value("AWSCURRENT") for app in apps]
    role = use_old_version(deployed, apps[1])
    ended = campaign(deployed, secretIds=arns(apps), soakSeconds=60, staleConsumers="rollBack")
    assert [ended.became(arn) for arn in arns(apps)] == ["rotated", "rolledBack", "rotated"]
    assert ended.of(apps[1].arn)["stale"] == [role]
    assert apps[1].value("AWSCURRENT") == before[1]
    assert all(app.logs_in("AWSCURRENT") for app in apps)


def test_one_failure_rolls_back_all_if_that_is_asked_for(
    deployed: Deployed, apps: list[Application]
) -> None:
    before = [password(app) for app in apps]
    break_login(apps[2])
    ended = campaign(
        deployed, secretIds=arns(apps), maxConcurrency=1, onFailure="rollBackAll", soakSeconds=0
    )
    assert [ended.became(arn) for arn in arns(apps)] == ["rolledBack", "rolledBack", "refused"]
    assert [password(app) for app in apps] == before
    assert all(app.logs_in("AWSCURRENT") for app in apps[:2])
