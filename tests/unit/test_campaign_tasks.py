"""What the workflow rotate asks between its parts, given what its children have written."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest

from rekey.access.renewal import Verdict
from rekey.access.stale import Answer
from rekey.campaign.tasks import World, run
from rekey.errors import SecretNotFound
from rekey.model import Label, SecretMetadata

CHILD = "arn:aws:states:eu-central-1:111122223333:execution:rekey-rotate/RotateEach:1"
TOKEN = "t" * 64


@dataclass
class Shelf:
    """Documents in memory."""

    kept: dict[str, Any] = field(default_factory=dict)

    def write(self, key: str, document: object) -> str:
        self.kept[key] = json.loads(json.dumps(document))
        return key

    def read(self, key: str) -> Any:
        return self.kept[key]

    def each(self, key: str) -> Iterator[Any]:
        return iter(self.kept[key])


@dataclass
class Account:
    """Secrets by what is AWSCURRENT; alarms that never ring; functions that are all ours."""

    current: dict[str, str] = field(default_factory=dict)

    def describe(self, secret_id: str) -> SecretMetadata:
        if secret_id not in self.current:
            raise SecretNotFound("It is gone.")
        labels = {self.current[secret_id]: frozenset({Label.CURRENT})}
        return SecretMetadata(secret_id, rotation_enabled=True, labels=labels, tags={})

    def tagged(self, key: str, value: str) -> Iterator[SecretMetadata]:
        return iter([self.describe(arn) for arn in self.current if key and value])

    def is_ours(self, arn: str) -> bool:
        return bool(arn)

    def missing(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if not name]

    def ringing(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if not name]


def nobody_knows(secret_id: str, version_id: str) -> Verdict:
    return Verdict(Answer.UNKNOWN, "", secret_id, version_id, 0)


@dataclass
class Campaign:
    """Children that have ended, and what the tasks make of them."""

    account: Account = field(default_factory=Account)
    shelf: Shelf = field(default_factory=Shelf)

    def ends(self, *children: dict[str, Any], kind: str = "SUCCEEDED") -> str:
        key = f"results/{len(self.shelf.kept)}"
        self.shelf.write(f"{key}/file.json", children)
        files = {kind: [{"Key": f"{key}/file.json", "Size": 1}]}
        self.shelf.write(f"{key}/manifest.json", {"ResultFiles": files})
        return f"{key}/manifest.json"

    def ask(self, task: str, **event: Any) -> dict[str, Any]:
        account, shelf = self.account, self.shelf
        world = World(account, account, shelf, account, nobody_knows)
        return run(
            world,
            {"task": task, "execution": "e", "settings": {"secretIds": ["a"]}, "rolledBack": []}
            | event,
        )

    def to_roll_back(self, **event: Any) -> list[dict[str, str]]:
        items: list[dict[str, str]] = self.shelf.read(self.ask("judge", **event)["rollBack"])
        return items


@pytest.fixture
def campaign() -> Campaign:
    return Campaign()


def told(secret_id: str, became: str, **other: str) -> dict[str, Any]:
    """A child that has told what became of its secret."""
    version = {"versionId": TOKEN} if became in ("rotated", "failed") else {}
    output = {"secretId": secret_id, "became": became, **version, **other}
    return {"ExecutionArn": CHILD, "Output": json.dumps(output), "Status": "SUCCEEDED"}


def cut_off(secret_id: str, **other: Any) -> dict[str, Any]:
    """A child that an operator has stopped, or that has reached the limit of a history."""
    given = json.dumps({"secretId": secret_id, **other})
    return {"ExecutionArn": CHILD, "Input": given, "Status": "ABORTED"}


@pytest.mark.parametrize("on_failure", ["rollBackFailed", "rollBackAll"])
def test_a_secret_is_not_rolled_back_if_nobody_knows_whether_the_campaign_touched_it(
    campaign: Campaign, on_failure: str
) -> None:
    """Without a version, what is AWSCURRENT would be rejected: the operator's own, perhaps."""
    campaign.account.current = {"arn:1": "made-by-somebody-else"}
    manifest = campaign.ends(cut_off("arn:1"), cut_off("arn:gone"), kind="FAILED")
    settings = {"secretIds": ["a"], "onFailure": on_failure}
    assert campaign.to_roll_back(manifest=manifest, settings=settings) == []
    concluded = campaign.ask("conclude", manifest=manifest)
    assert not concluded["stands"]
    assert concluded["counts"] == {"unknown": 2}
    assert "Nobody knows whether the secret was rotated" in concluded["text"]


@pytest.mark.parametrize("number", [1, 2])
def test_a_secret_whose_aws_current_the_campaign_made_is_rolled_back_like_any_that_failed(
    campaign: Campaign, number: int
) -> None:
    version = sha256(f"{CHILD}|arn:1|{number}".encode()).hexdigest()
    campaign.account.current = {"arn:1": version}
    manifest = campaign.ends(cut_off("arn:1"), kind="FAILED")
    assert campaign.to_roll_back(manifest=manifest) == [{"secretId": "arn:1", "versionId": version}]


@pytest.mark.parametrize("on_failure", ["rollBackFailed", "stop"])
@pytest.mark.parametrize("other", ["refused", "failed", "skipped", "rotated"])
def test_what_stands_is_watched_whatever_became_of_the_others(
    campaign: Campaign, on_failure: str, other: str
) -> None:
    manifest = campaign.ends(told("arn:1", "rotated"), told("arn:2", other))
    settings = {"secretIds": ["a"], "onFailure": on_failure}
    assert campaign.ask("judge", manifest=manifest, settings=settings)["soak"]


@pytest.mark.parametrize(
    ("settings", "became"),
    [
        ({}, ["refused", "failed"]),
        ({"onFailure": "rollBackAll"}, ["rotated", "failed"]),
        ({"soakSeconds": 0}, ["rotated"]),
        ({"compromised": True}, ["rotated"]),
    ],
)
def test_nothing_is_watched_where_nothing_stands_or_nobody_asked_for_it(
    campaign: Campaign, settings: dict[str, Any], became: list[str]
) -> None:
    manifest = campaign.ends(*(told(f"arn:{n}", each) for n, each in enumerate(became)))
    judged = campaign.ask("judge", manifest=manifest, settings={"secretIds": ["a"], **settings})
    assert not judged["soak"]


def test_an_alarm_rolls_back_what_stands_and_what_was_rolled_back_before_not_again(
    campaign: Campaign,
) -> None:
    manifest = campaign.ends(
        told("arn:stands", "rotated"), told("arn:failed", "failed"), told("arn:not", "refused")
    )
    assert [each["secretId"] for each in campaign.to_roll_back(manifest=manifest)] == ["arn:failed"]
    first = campaign.ends(told("arn:failed", "notRolledBack"))
    later = {"manifest": manifest, "rolledBack": [first], "alarms": ["errors"]}
    judged = campaign.ask("judge", **later)
    assert [each["secretId"] for each in campaign.to_roll_back(**later)] == ["arn:stands"]
    assert not judged["soak"]
    second = campaign.ends(told("arn:stands", "rolledBack"))
    concluded = campaign.ask("conclude", **later | {"rolledBack": [first, second]})
    assert concluded["counts"] == {"rolledBack": 1, "notRolledBack": 1, "refused": 1}


def test_of_every_compromised_secret_it_is_told_which_passwords_work_and_which_nobody_knows_of(
    campaign: Campaign,
) -> None:
    manifest = campaign.ends(
        told("arn:1", "rotated", works="v2", unknown=""),
        told("arn:2", "refused", works="", unknown="v1 v0"),
        told("arn:3", "failed", works="", unknown=""),
        cut_off("arn:4", versions="v1", compromised=True),
    )
    settings = {"secretIds": ["a"], "compromised": True}
    concluded = campaign.ask("conclude", manifest=manifest, settings=settings)
    assert [(one["works"], one["unknown"]) for one in concluded["secrets"]] == [
        (["v2"], []),
        ([], ["v1", "v0"]),
        ([], []),
        ([], ["v1"]),
    ]
    assert "Of 3 secrets passwords that were in use may still work" in concluded["text"]
    assert campaign.shelf.read("e/summary.json")["secrets"] == concluded["secrets"]


def test_of_other_secrets_nothing_is_said_of_passwords(campaign: Campaign) -> None:
    concluded = campaign.ask("conclude", manifest=campaign.ends(told("arn:1", "rotated")))
    assert not {"works", "unknown"} & set(concluded["secrets"][0])
    assert "may still work" not in concluded["text"]
