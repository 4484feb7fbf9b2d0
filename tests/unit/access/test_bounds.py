"""Whatever records say, and however many: what is kept of them stays small, and not for ever."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rekey.access.telling import finding
from rekey.access.thresholds import Thresholds
from rekey.aws.access_state import MOST_OCTETS, _raw
from rekey.known import DAY, HOUR, SET_CAPS, Key, rotation_key
from tests.access.records import (
    MORNING,
    SECRETS_MANAGER,
    Record,
    arn,
    decrypt,
    denied,
    person,
    record,
    role,
    stamp,
    user,
)
from tests.access.world import LONG_AGO, World

# Names are as long as their owners like, and of any letters.
LETTERS = st.sampled_from(["a", "Z", "/", "é", "世", "🔑", '"', "\\", "#", "-"])
NAMES = st.builds(
    lambda letter, number, length: f"{letter * length}{number}",
    LETTERS,
    st.integers(0, 200),
    st.sampled_from([1, 40, 600, 3000]),
)
IDENTITIES = st.one_of(
    NAMES.map(role),
    NAMES.map(person),
    NAMES.map(user),
    NAMES.map(lambda name: {"type": "AWSService", "invokedBy": name}),
    NAMES.map(lambda name: {"type": "AWSAccount", "principalId": name, "accountId": "222"}),
    NAMES.map(lambda name: {"type": name, "principalId": name}),
)
ORIGINS = st.fixed_dictionaries(
    {
        "eventTime": st.integers(MORNING, MORNING + 2 * DAY).map(stamp),
        "userIdentity": IDENTITIES,
        "sourceIPAddress": st.one_of(NAMES, st.ip_addresses().map(str)),
        "vpcEndpointId": st.one_of(st.just(""), NAMES),
        "userAgent": NAMES,
        "awsRegion": st.one_of(st.just("eu-west-1"), NAMES),
    }
)


def moved(origin: Record, secret: str, version: str) -> Record:
    asked = {"secretId": secret, "moveToVersionId": version, "removeFromVersionId": version[::-1]}
    return record(
        "UpdateSecretVersionStage",
        requestParameters={**asked, "versionStage": "AWSCURRENT"},
        **origin,
    )


def listed(origin: Record, secret: str, version: str) -> Record:
    asked = {"secretIdList": [secret, version, f"{secret}{version}"]}
    return record("BatchGetSecretValue", requestParameters=asked, **origin)


def read(origin: Record, secret: str, version: str) -> Record:
    return record(requestParameters={"secretId": secret, "versionId": version}, **origin)


def given_out(origin: Record, secret: str, version: str) -> Record:
    origin = {**origin, "sourceIPAddress": SECRETS_MANAGER}
    return decrypt(secret, version, **origin)


def refused(origin: Record, secret: str, version: str) -> Record:
    return denied(f"{secret}{version}", **{"userIdentity": role("app"), **origin, **_named(origin)})


def _named(origin: Record) -> Record:
    """Whoever it is, the text of a denial names somebody."""
    return {"userIdentity": {"arn": "somebody", **origin["userIdentity"]}}


EVENTS = st.builds(
    lambda made, origin, secret, version: made(origin, secret, version),
    st.sampled_from([read, given_out, listed, refused, moved]),
    ORIGINS,
    st.one_of(NAMES.map(arn), NAMES),
    NAMES,
)


@settings(deadline=None, max_examples=25)
@given(st.lists(EVENTS, max_size=20), st.integers(1, 10))
def test_any_sequence_of_any_events_keeps_every_item_small_and_for_a_time(
    events: list[Record], size: int
) -> None:
    world = World()
    # One secret that is settled, so that all the rest of it can be unusual.
    world.learn(record(eventTime=stamp(LONG_AGO)))
    for start in range(0, len(events), size):
        world.see(*events[start : start + size])
    for key, item in world.table.items.items():
        within_limits(key)
        assert len(_raw(item)["known"]["S"].encode()) <= MOST_OCTETS
        assert LONG_AGO < item.expires < MORNING + 125 * DAY
    for incident in world.told:
        assert finding(incident).what


def within_limits(key: Key) -> None:
    """Of DynamoDB's keys, in octets."""
    assert len(key.pk.encode()) <= 2048
    assert len(key.sk.encode()) <= 1024


def test_the_key_of_a_rotation_fits_whatever_its_secret_and_version_are_called() -> None:
    within_limits(rotation_key(arn("a" * 3000), "世" * 64))


def test_one_principal_that_does_everything_with_everything_keeps_within_the_bound() -> None:
    """The largest items that there can be: every set full, every name as long as it can be."""
    world, long = World(), "世" * 600
    for number in range(70):
        secret = arn(f"{long}{number}")
        world.learn(record(requestParameters={"secretId": secret}, eventTime=stamp(LONG_AGO)))
        origin: dict[str, Any] = {
            "userIdentity": role(long),
            "eventTime": stamp(MORNING + 60 * number),
            "vpcEndpointId": f"{number}{long}",
            "userAgent": f"{long}{number}",
            "awsRegion": f"{number}{long}",
        }
        for made in (read, given_out, listed, refused, moved):
            world.see(made(origin, secret, f"{number}{long}"))
    sizes = {key: len(_raw(item)["known"]["S"].encode()) for key, item in world.table.items.items()}
    largest = max(sizes, key=lambda key: sizes[key])
    assert sizes[largest] <= MOST_OCTETS, (largest.sk, sizes[largest])
    assert any(key.sk.startswith("incident") and size > 10_000 for key, size in sizes.items())


def test_a_known_pair_that_is_read_all_day_is_written_a_few_times() -> None:
    world, times = World(), range(MORNING, MORNING + DAY, 60)
    for at in times:
        world.see(record(eventTime=stamp(at)), decrypt(arn("prod/db"), "v1", eventTime=stamp(at)))
    (pair,) = [item for key, item in world.table.items.items() if key.sk.startswith("reader#")]
    assert Thresholds().refresh >= 300
    assert pair.revision <= DAY / Thresholds().refresh + 1


def networks_known(world: World) -> list[str]:
    return [key.pk for key in world.table.items if key.pk.startswith("principal#net:")]


def test_whoever_has_another_address_every_time_leaves_no_more_of_them_behind() -> None:
    """As functions outside any VPC: a write for each would be more than all the others."""
    world = World()
    for number in range(64):
        address, at = f"203.0.{number}.9", MORNING + HOUR * number
        world.see(record(sourceIPAddress=address, eventTime=stamp(at)))
    assert len(networks_known(world)) == SET_CAPS["networks"]


def test_the_id_of_what_is_counted_is_kept_for_longer_than_eventbridge_tries() -> None:
    world = World()
    world.see(record("BatchGetSecretValue", requestParameters={}, eventTime=stamp(MORNING)))
    held = [item for item in world.table.items.values() if item.members("batches")]
    assert [item.expires - MORNING >= 25 * HOUR for item in held] == [True]
    assert json.dumps([sorted(item.members("batches")) for item in held]).count('"') == 2
