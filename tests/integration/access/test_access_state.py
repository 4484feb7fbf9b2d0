"""What is known, in memory and in DynamoDB: the same tests."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from local.running_account import RunningAccount
from rekey.access.aggregate import gather
from rekey.access.normalise import normalise
from rekey.access.ports import Memory
from rekey.access.watch import Watch
from rekey.aws.access_state import AccessState
from rekey.errors import StateTableFailure
from rekey.known import Item, Key, reader_key, rotation_key, secret_key
from tests.access.records import arn, record, role
from tests.access.world import Table, World

NOW = int(time.time())
LATER = NOW + 3600


@pytest.fixture(params=["memory", "dynamodb"])
def memory(request: pytest.FixtureRequest, account: RunningAccount, state_table: str) -> Memory:
    if request.param == "memory":
        return Table(now=NOW)
    return AccessState(account.client("dynamodb"), state_table)


@pytest.fixture
def key() -> Key:
    return Key(f"principal#{uuid.uuid4()}", "profile")


def item(key: Key, **more: int) -> Item:
    return Item(
        key,
        {"first": 1},
        {"last": 2, "v:a": 3},
        {"networks": frozenset({"net:1", "net:2"})},
        {"burst": (5, '["Many", "few", "20", ""]')},
        **{"expires": LATER, **more},
    )


def test_what_was_saved_is_what_is_loaded(memory: Memory, key: Key) -> None:
    assert memory.save(item(key))
    assert memory.load([key, key._replace(sk="other")], latest=True) == {key: item(key)}


def test_only_who_has_read_the_latest_may_replace_it(memory: Memory, key: Key) -> None:
    assert memory.save(item(key))
    assert not memory.save(item(key))
    held = memory.load([key], latest=True)[key]
    assert memory.save(replace(held, minima={"first": 0}))
    assert not memory.save(replace(held, minima={"first": 9}))
    assert memory.load([key], latest=True)[key].minima == {"first": 0}


def test_what_has_expired_is_as_good_as_gone(memory: Memory, key: Key) -> None:
    assert memory.save(item(key, expires=NOW - 10))
    assert memory.load([key], latest=True) == {}
    assert memory.save(item(key))
    assert memory.load([key], latest=True) == {key: item(key)}


def test_hundreds_of_items_are_loaded_at_once(memory: Memory) -> None:
    keys = [Key(f"principal#{uuid.uuid4()}", "profile") for _ in range(230)]
    assert all(memory.save(item(key)) for key in keys[:130])
    assert len(memory.load(keys, latest=True)) == 130


def test_the_readers_of_a_secret_are_found_by_it(memory: Memory) -> None:
    secret = arn(f"db-{uuid.uuid4()}")
    for key in (secret_key(secret), reader_key(secret, "a"), reader_key(secret, "b")):
        memory.save(item(key))
    assert memory.readers(secret) == {"a", "b"}
    assert memory.readers(secret[:-2]) == frozenset()


def test_what_is_known_of_a_secret_and_its_readers_is_read_together(memory: Any) -> None:
    secret = arn(f"db-{uuid.uuid4()}")
    keys = [secret_key(secret), reader_key(secret, "a"), reader_key(secret, "b")]
    assert memory.reading(secret) == (None, [])
    for key in keys:
        memory.save(item(key))
    memory.save(item(reader_key(secret, "gone"), expires=NOW - 10))
    assert memory.reading(secret) == (item(keys[0]), [item(keys[1]), item(keys[2])])


def test_rotations_are_listed_until_they_are_forgotten(memory: Any) -> None:
    secret = arn(f"db-{uuid.uuid4()}")
    keys = [rotation_key(secret, version) for version in ("v1", "v2")]
    for key in keys:
        memory.save(item(key))
    memory.forget(keys[0])
    memory.forget(keys[0])
    ours = [found for found in memory.rotations() if found.key.sk.startswith(secret)]
    assert ours == [item(keys[1])]


def test_of_many_at_once_one_saves(memory: Memory, key: Key) -> None:
    with ThreadPoolExecutor(8) as pool:
        saved = list(pool.map(lambda _: memory.save(item(key)), range(8)))
    assert saved.count(True) == 1


def test_batches_at_the_same_time_lose_nothing(memory: Memory) -> None:
    """20 secrets, each in a batch of its own, all at once: a burst that no batch could see."""
    name, world = f"stranger-{uuid.uuid4().hex[:8]}", World()
    watch = Watch(memory, world, world)

    def see(number: int) -> None:
        asked = {"secretId": arn(f"{name}-{number}")}
        made = record(requestParameters=asked, userIdentity=role(name))
        recent = {**made, "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW))}
        accesses = normalise(recent, world.names)
        assert isinstance(accesses, tuple)
        for activity in gather(accesses).values():
            for attempt in range(20):
                try:
                    watch.take(activity)
                except StateTableFailure:
                    assert attempt < 19
                else:
                    return

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(see, range(20)))
    assert any(reason.kind == "burst" for told in world.told for reason in told.reasons)


def test_a_table_that_does_not_answer_is_a_failure_of_its_own(account: RunningAccount) -> None:
    state = AccessState(account.client("dynamodb"), "no-such-table")
    for call in (
        lambda: state.load([Key("a", "b")]),
        lambda: state.save(item(Key("a", "b"))),
        lambda: state.readers("arn"),
        lambda: state.reading("arn"),
        state.rotations,
        lambda: state.forget(Key("a", "b")),
    ):
        with pytest.raises(StateTableFailure, match="ResourceNotFound"):
            call()
