"""Suppressions in the account's table."""

from __future__ import annotations

import time
from typing import Any

import pytest

from local.running_account import RunningAccount
from rekey.aws.access_account import AccessAccount
from rekey.aws.suppressions import PK, Suppressions
from rekey.errors import StateTableFailure

LATER = int(time.time()) + 3600
DOCUMENT = {"owner": "ann", "reason": "whÿ", "expires": LATER, "principal": "*", "kinds": ["burst"]}


@pytest.fixture
def kept(account: RunningAccount, state_table: str) -> Suppressions:
    return Suppressions(account.client("dynamodb"), state_table)


def test_one_is_added_once_and_removed_once(kept: Suppressions) -> None:
    assert kept.add("one", DOCUMENT, LATER)
    assert not kept.add("one", {}, LATER)
    assert {**DOCUMENT, "name": "one"} in kept.documents()
    assert kept.remove("one")
    assert not kept.remove("one")
    assert "one" not in [document["name"] for document in kept.documents()]


def test_an_item_that_somebody_wrote_badly_hides_nothing_and_breaks_nothing(
    kept: Suppressions, account: RunningAccount, state_table: str
) -> None:
    client = account.client("dynamodb")
    bad: dict[str, dict[str, Any]] = {
        "bad-json": {"suppression": {"S": "{not json"}},
        "bad-list": {"suppression": {"S": "[]"}},
        "bad-empty": {},
        "bad-number": {"suppression": {"N": "1"}},
    }
    for name, item in bad.items():
        client.put_item(TableName=state_table, Item={"pk": {"S": PK}, "sk": {"S": name}, **item})
    kept.add("good", DOCUMENT, LATER)
    unused: Any = None
    watch = AccessAccount(unused, unused, unused, client, state_table, ours=frozenset())
    found = {document["name"]: document for document in watch.suppressions()}
    assert found["good"] == {**DOCUMENT, "name": "good"}
    assert all(found[name] == {"name": name} for name in bad)
    for name in (*bad, "good"):
        assert kept.remove(name)


def test_more_than_one_answer_holds_is_read_to_the_end(kept: Suppressions) -> None:
    large = {**DOCUMENT, "reason": "x" * 300_000}
    names = [f"large-{number}" for number in range(5)]
    for name in names:
        assert kept.add(name, large, LATER)
    assert {document["name"] for document in kept.documents()} >= set(names)
    for name in names:
        kept.remove(name)


def test_a_table_that_is_not_there_is_a_failure_with_its_name(account: RunningAccount) -> None:
    dynamodb = account.client("dynamodb")
    for call in (
        Suppressions(dynamodb, "none").documents,
        lambda: Suppressions(dynamodb, "none").remove("one"),
    ):
        with pytest.raises(StateTableFailure, match="ResourceNotFound"):
            call()
