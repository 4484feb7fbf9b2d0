"""Each signal: what raises it, what does not, and what it says was usual."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rekey.access.normalise import OTHERS, PROMOTIONS
from rekey.access.signal import Level, Signal, SignalKind
from rekey.access.telling import finding
from rekey.access.thresholds import Thresholds
from rekey.known import DAY, HOUR
from tests.access.records import (
    ACCOUNT,
    DATA,
    MORNING,
    Record,
    arn,
    decrypt,
    denied,
    person,
    real,
    record,
    role,
    stamp,
    user,
)
from tests.access.world import LONG_AGO, World

Kind = SignalKind
APP, OTHER = role("app"), role("other")
DB = arn("prod/db")
STRATUS = "stratus-red-team/aws.credential-access.secretsmanager-{}.json"
CLI = "aws-cli/2.15 md/command#secretsmanager.get-secret-value"


def read(secret: str = DB, at: int = MORNING, by: Record = APP, **asked: Any) -> Record:
    """A read that worked, from where and with what everybody reads."""
    parameters = {"secretId": secret, **asked}
    return record(requestParameters=parameters, eventTime=stamp(at), userIdentity=by)


def from_(origin: Record, by: Record = APP, at: int = MORNING) -> Record:
    return {**read(at=at, by=by), **origin}


def listing(at: int = MORNING, by: Record = APP) -> Record:
    asked = {"maxResults": 100}
    return record("ListSecrets", eventTime=stamp(at), userIdentity=by, requestParameters=asked)


def batch(at: int = MORNING, by: Record = APP, **asked: Any) -> Record:
    members = {"eventTime": stamp(at), "userIdentity": by, "requestParameters": asked}
    return record("BatchGetSecretValue", **members)


@pytest.fixture
def world() -> World:
    """20 days ago `app` read one secret, and `other` read that and 29 more, at all hours."""
    world = World()
    world.learn(read(at=LONG_AGO), read(at=LONG_AGO, by=OTHER))
    world.learn(*(read(arn(f"s{n}"), LONG_AGO + n * HOUR, OTHER) for n in range(29)))
    for names in (APP, OTHER):
        world.learn(*(read(at=LONG_AGO + hour * HOUR, by=names) for hour in range(24 * 7)))
    return world


def kinds(signals: list[Signal]) -> set[SignalKind]:
    return {signal.kind for signal in signals}


def one(signals: list[Signal], kind: SignalKind) -> Signal:
    (found,) = [signal for signal in signals if signal.kind is kind]
    return found


def test_what_was_always_so_raises_nothing(world: World) -> None:
    assert world.see(read(), decrypt(DB, "v1"), read(by=OTHER)) == []
    assert world.told == []


def test_a_new_reader_of_a_settled_secret_is_told_with_those_who_read_it_before(
    world: World,
) -> None:
    signal = one(world.see(read(by=role("stranger"))), Kind.NEW_READER)
    assert "2 readers since 2026-05-12" in signal.baseline
    assert "role/app" in signal.baseline
    assert signal.observed == f"arn:aws:iam::{ACCOUNT}:role/stranger on prod/db"
    assert [incident.level for incident in world.told] == [Level.LOW]


def test_a_new_reader_is_told_once(world: World) -> None:
    world.see(read(by=role("stranger")))
    assert world.see(read(by=role("stranger"), at=MORNING + 600)) == []
    assert len(world.told) == 1


def test_a_young_secret_has_no_new_readers(world: World) -> None:
    world.see(read(arn("young"), MORNING - 13 * DAY, OTHER))
    assert Kind.NEW_READER not in kinds(world.see(read(arn("young"))))


def test_a_colleague_with_the_same_permission_set_is_hardly_new(world: World) -> None:
    world.learn(read(at=LONG_AGO, by=person("ann")))
    colleague = one(world.see(read(by=person("bob"))), Kind.NEW_READER)
    stranger = one(world.see(read(by=person("eve", "Finance"))), Kind.NEW_READER)
    assert (colleague.weight, stranger.weight) == (1, 3)


def test_a_role_that_is_hours_old_is_a_deployment(world: World) -> None:
    world.made[f"arn:aws:iam::{ACCOUNT}:role/fresh"] = MORNING - HOUR
    signals = world.see(*(read(arn(f"s{n}"), by=role("fresh")) for n in range(6)))
    assert kinds(signals) == {Kind.DEPLOYMENT}
    assert [incident.level for incident in world.told] == [Level.LOW]
    # A week later it reads one more: that is one, and not the seventh.
    assert Kind.SPREAD not in kinds(world.see(read(by=role("fresh"), at=MORNING + 2 * DAY)))


@pytest.mark.parametrize(("number", "expected"), [(19, set()), (20, {Kind.BURST})])
def test_a_burst_has_a_floor(number: int, expected: set[SignalKind]) -> None:
    signals = World().see(*(read(arn(f"s{n}"), MORNING + n) for n in range(number)))
    assert kinds(signals) == expected


def test_a_burst_is_seen_across_batches_and_across_the_windows_edge() -> None:
    records = [read(arn(f"s{n}"), MORNING + 290 + n) for n in range(20)]
    assert Kind.BURST in kinds(World().see_each(*records))
    assert Kind.BURST in kinds(World().see_each(*reversed(records)))


def test_who_always_reads_many_at_once_may_go_on(world: World) -> None:
    world.learn(*(read(arn(f"s{n}"), MORNING - 3 * DAY, OTHER) for n in range(29)))
    signals = world.see(*(read(arn(f"s{n}"), MORNING, OTHER) for n in range(29)))
    assert Kind.BURST not in kinds(signals)


@pytest.mark.parametrize(
    ("past", "now", "expected"),
    [
        (33, 60, False),
        (33, 66, True),
        (100, 199, False),
        (100, 200, True),
        # Twice as much is more than is counted.
        (200, 255, False),
        (200, 256, True),
        (200, 400, True),
        # Whoever reads more than is counted on other days too, is no news.
        (300, 300, False),
    ],
)
def test_a_burst_is_twice_the_past_or_all_that_is_counted(
    past: int, now: int, expected: bool
) -> None:
    world = World()
    world.see(*(read(arn(f"s{n}"), LONG_AGO, OTHER) for n in range(past)))
    signals = world.see(*(read(arn(f"s{n}"), MORNING, OTHER) for n in range(now)))
    assert (Kind.BURST in kinds(signals)) is expected


@pytest.mark.parametrize(
    ("number", "observed", "others"),
    [(30, "30 secrets", "25 more"), (300, "256 or more secrets", "59 or more others")],
)
def test_where_counting_ends_it_says_or_more(number: int, observed: str, others: str) -> None:
    world, stranger = World(), role("stranger")
    world.learn(*(read(arn(f"s{n}"), LONG_AGO) for n in range(number)))
    signals = world.see(*(read(arn(f"s{n}"), by=stranger) for n in range(number)))
    assert one(signals, Kind.BURST).observed == observed
    (told,) = world.told
    assert f" and {others}." in finding(told).what


def test_a_stolen_session_that_reads_all_it_may_is_a_burst(world: World) -> None:
    signal = one(world.see(*(read(arn(f"s{n}"), MORNING, OTHER) for n in range(29))), Kind.BURST)
    assert signal.observed == "29 secrets"


def test_one_more_secret_every_few_hours_spreads(world: World) -> None:
    secrets = [arn(f"s{n}") for n in range(6)]
    found = world.see_each(*(read(s, MORNING + n * 5 * HOUR) for n, s in enumerate(secrets)))
    spread = [signal.observed for signal in found if signal.kind is Kind.SPREAD]
    assert spread == ["4 within a week", "5 within a week", "6 within a week"]
    assert Level.MEDIUM in {incident.level for incident in world.told}


@pytest.mark.parametrize(
    ("origin", "weight"),
    [
        ({"sourceIPAddress": "203.0.113.9"}, 4),
        ({"sourceIPAddress": "10.0.0.1", "vpcEndpointId": "vpce-evil"}, 4),
        ({"sourceIPAddress": "198.51.100.99"}, None),
        ({"sourceIPAddress": "ecs.amazonaws.com"}, None),
    ],
)
def test_a_new_network_weighs_more_if_nobody_uses_it(
    world: World, origin: dict[str, str], weight: int | None
) -> None:
    found = [s.weight for s in world.see(from_(origin)) if s.kind is Kind.NEW_NETWORK]
    assert found == ([] if weight is None else [weight])


def test_when_the_way_out_changes_for_all_only_the_first_is_strange(world: World) -> None:
    moved = {"sourceIPAddress": "203.0.113.9"}
    signals = world.see(from_(moved), from_(moved, OTHER))
    assert [signal.weight for signal in signals if signal.kind is Kind.NEW_NETWORK] == [4, 2]


def test_an_endpoint_of_somebody_else_is_new_whatever_address_it_shows() -> None:
    world, ours = World(), {"sourceIPAddress": "10.0.1.7", "vpcEndpointId": "vpce-ours"}
    world.learn(*(from_(ours, at=LONG_AGO + hour * HOUR) for hour in range(24 * 7)))
    assert world.see(from_(ours)) == []
    spoofed = {**ours, "vpcEndpointId": "vpce-theirs"}
    signal = one(world.see(from_(spoofed)), Kind.NEW_NETWORK)
    assert "endpoint:vpce-ours" in signal.baseline
    assert signal.observed == "endpoint:vpce-theirs (10.0.1.7)"


def test_functions_whose_address_always_changes_have_no_new_one(world: World) -> None:
    for n in range(40):
        world.learn(from_({"sourceIPAddress": f"18.{n}.0.1"}, at=LONG_AGO))
    assert world.see(from_({"sourceIPAddress": "18.200.0.1"})) == []
    endpoint = {"sourceIPAddress": "10.0.0.1", "vpcEndpointId": "vpce-evil"}
    assert kinds(world.see(from_(endpoint))) == {Kind.NEW_NETWORK}


@pytest.mark.parametrize(
    ("agent", "weight"), [(CLI, 3), ("aws-cli/2 exec-env/CloudShell", 3), ("curl/8", 2)]
)
def test_a_hand_on_a_workloads_role_weighs_more_than_a_new_library(
    world: World, agent: str, weight: int
) -> None:
    assert one(world.see(from_({"userAgent": agent})), Kind.NEW_TOOL).weight == weight


def test_a_stolen_session_used_elsewhere_by_hand_is_more_than_its_parts(world: World) -> None:
    world.see(from_({"userAgent": CLI, "sourceIPAddress": "203.0.113.9"}))
    assert [incident.level for incident in world.told] == [Level.HIGH]


def test_denials_on_secrets_that_one_does_not_read_are_probing(world: World) -> None:
    found = [
        one(world.see(denied(f"s{n}", userIdentity=APP, eventTime=stamp(MORNING + n * HOUR))), kind)
        for n, kind in enumerate([Kind.DENIED_PROBING] * 5)
    ]
    assert [signal.weight for signal in found] == [2, 2, 2, 2, 4]
    assert found[-1].observed == "5 secrets"


@pytest.mark.parametrize("call", ["ListSecrets", "BatchGetSecretValue"])
def test_denied_calls_that_name_no_secret_are_probing_too(world: World, call: str) -> None:
    times = range(MORNING, MORNING + 40, 2)
    made = [denied(None, call, userIdentity=APP, eventTime=stamp(at)) for at in times]
    found = [one(world.see(event, event), Kind.DENIED_PROBING) for event in made]
    assert [signal.weight for signal in found] == [*[2] * 4, *[4] * 15, 5]
    assert found[-1].observed == "0 secrets, 20 calls that name none"
    named = one(world.see(denied("s1", userIdentity=APP)), Kind.DENIED_PROBING)
    assert named.observed == "1 secrets, 20 calls that name none"


def test_what_lists_and_reads_in_batches_may_be_denied_for_once(world: World) -> None:
    world.learn(listing(LONG_AGO), batch(LONG_AGO, secretIdList=["a"]))
    for call in ("ListSecrets", "BatchGetSecretValue"):
        assert world.see(denied(None, call, userIdentity=APP)) == []


def test_a_denied_listing_lists_nothing_and_denied_batches_are_none(world: World) -> None:
    denials = [denied(None, "ListSecrets", userIdentity=APP)]
    denials += [denied(None, "BatchGetSecretValue", userIdentity=APP) for _ in range(6)]
    signals = world.see(*denials, read(arn("s1"), MORNING + 60), read(arn("s2"), MORNING + 120))
    assert not kinds(signals) & {Kind.LISTED_THEN_READ, Kind.BATCHES, Kind.CATCH_ALL_BATCH}
    assert Kind.CATCH_ALL_BATCH in kinds(world.see(batch()))


def test_a_reader_that_is_denied_for_once_is_no_prober() -> None:
    world = World()
    world.learn(read(at=LONG_AGO))
    assert Kind.DENIED_PROBING not in kinds(world.see(denied(DB, userIdentity=APP)))


def test_a_denial_makes_nobody_a_reader(world: World) -> None:
    world.see(denied(DB, userIdentity=role("stranger")))
    assert Kind.NEW_READER in kinds(world.see(read(by=role("stranger"))))


@pytest.mark.parametrize("order", [list, reversed])
def test_secrets_that_are_read_after_a_listing(world: World, order: Callable[..., Any]) -> None:
    events = [listing(), read(arn("s1"), MORNING + 60), read(arn("s2"), MORNING + 120)]
    assert Kind.LISTED_THEN_READ in kinds(world.see_each(*order(events)))


def test_who_lists_and_reads_what_it_always_reads_is_quiet(world: World) -> None:
    assert world.see_each(listing(), read()) == []


def test_a_batch_without_a_filter_is_told_once(world: World) -> None:
    assert Kind.CATCH_ALL_BATCH in kinds(world.see(batch()))
    assert Kind.CATCH_ALL_BATCH not in kinds(world.see(batch(MORNING + 60)))


def test_batches_are_counted_by_their_ids_and_their_children_count_as_the_same_reads() -> None:
    world = World()
    made = [batch(MORNING + n, filters=[{"key": "name", "values": ["a"]}]) for n in range(4)]
    assert world.see_each(*made, *made) == []
    fifth = batch(MORNING + 9, secretIdList=["a", "b"])
    signals = world.see(fifth, read(arn("a", "").rstrip("-")))
    assert one(signals, Kind.BATCHES).observed == "5 batches"


def test_who_reads_in_batches_every_day_may_go_on() -> None:
    world = World()
    world.learn(batch(LONG_AGO, secretIdList=["a"]))
    made = [batch(MORNING + n, secretIdList=["a"]) for n in range(9)]
    assert Kind.BATCHES not in kinds(world.see(*made))


def test_secrets_of_several_regions_within_minutes(world: World) -> None:
    regions = ["eu-west-1", "eu-west-2", "us-east-1"]
    made = [batch(MORNING + n, secretIdList=["a"]) for n in range(3)]
    records = [{**one_, "awsRegion": name} for one_, name in zip(made, regions, strict=True)]
    assert one(world.see(*records), Kind.REGIONS).observed == "eu-west-1, eu-west-2, us-east-1"
    assert Kind.REGIONS not in kinds(World().see(*records[:2]))


def test_awspending_is_read_by_the_rotation_function_alone(world: World) -> None:
    pending = read(versionStage="AWSPENDING")
    assert one(world.see(pending), Kind.PENDING_READ).weight == 5
    world.rotators[DB] = f"arn:aws:iam::{ACCOUNT}:role/app"
    assert world.see(pending) == []
    world.our_roles = frozenset({f"arn:aws:iam::{ACCOUNT}:role/rotate"})
    assert world.see({**pending, "userIdentity": role("rotate")}) == []


def promotion(at: int, gained: str, lost: str) -> Record:
    asked = {"secretId": DB, "versionStage": "AWSCURRENT"}
    moved = {**asked, "moveToVersionId": gained, "removeFromVersionId": lost}
    return record("UpdateSecretVersionStage", requestParameters=moved, eventTime=stamp(at))


@pytest.mark.parametrize(
    ("age", "weights"),
    [(Thresholds().grace, []), (Thresholds().grace + 1, [1]), (DAY, [1]), (DAY + 1, [2])],
)
def test_a_version_counts_as_old_after_the_grace(
    world: World, age: int, weights: list[int]
) -> None:
    """It weighs more once whatever runs daily has had its turn."""
    world.see(promotion(MORNING - age, "v2", "v1"))
    signals = world.see(read(), decrypt(DB, "v1", userIdentity=APP))
    assert [s.weight for s in signals if s.kind is Kind.OLD_VERSION] == weights
    assert Kind.OLD_VERSION not in kinds(world.see(decrypt(DB, "v2", userIdentity=APP)))


def test_an_explicit_version_that_is_in_use_is_nothing(world: World) -> None:
    world.see(promotion(MORNING - 3 * DAY, "v2", "v1"))
    assert world.see(read(versionId="v2")) == []


def test_another_account_is_told_the_first_time(world: World) -> None:
    foreign = {"type": "AWSAccount", "accountId": "999999999999", "principalId": "AROAX:a"}
    assert one(world.see(read(by=foreign)), Kind.FOREIGN_ACCOUNT).weight == 4
    again = {**foreign, "principalId": "AROAY:b"}
    assert Kind.FOREIGN_ACCOUNT not in kinds(world.see(read(by=again)))


def test_root_is_always_told(world: World) -> None:
    root = {"type": "Root", "accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root"}
    assert Kind.ROOT in kinds(world.see(read(by=root)))
    assert Kind.ROOT in kinds(world.see(listing(by=root)))


@pytest.mark.parametrize(
    "touch",
    [
        read(),
        denied(DB, userIdentity=APP),
        record("DescribeSecret", userIdentity=APP, requestParameters={"secretId": DB}),
        *(record(call, requestParameters={"secretId": DB}) for call in OTHERS),
        *(record(call, requestParameters={"secretId": DB}) for _, call in sorted(PROMOTIONS)),
        denied(DB, "DeleteSecret"),
        record("UpdateSecret", requestParameters={"secretId": DB, "description": "nothing"}),
        record("TagResource", requestParameters={"secretId": DB, "tags": [{"key": "team"}]}),
    ],
    ids=lambda touch: touch["eventName"],
)
def test_any_touch_of_a_decoy_is_critical(touch: Record) -> None:
    world = World(decoy_secrets=frozenset({DB}))
    world.names.learn(DB)
    assert Kind.DECOY in kinds(world.see(touch))
    assert world.told[-1].level is Level.CRITICAL


@pytest.mark.parametrize(
    ("call", "asked"),
    [
        ("UntagResource", {"tagKeys": ["team", "rekey:decoy"]}),
        ("TagResource", {"tags": [{"key": "rekey:decoy", "value": "false"}]}),
    ],
)
def test_who_disarms_a_decoy_is_told_although_it_is_none_any_more(
    world: World, call: str, asked: Record
) -> None:
    signals = world.see(record(call, requestParameters={"secretId": DB, **asked}))
    assert "disarmed" in one(signals, Kind.DECOY).what
    assert world.told[-1].level is Level.CRITICAL


def test_who_makes_a_decoy_touches_none() -> None:
    world = World(decoy_secrets=frozenset({DB}))
    armed = {"secretId": DB, "tags": [{"key": "rekey:decoy", "value": "true"}]}
    assert world.see(record("TagResource", requestParameters=armed)) == []


def test_what_reads_nothing_is_of_no_interest_but_on_decoys(world: World) -> None:
    before = dict(world.table.items)
    for call in (*OTHERS, "PutSecretValue"):
        asked = {"secretId": DB, "versionStages": ["AWSPENDING"], "tagKeys": ["team"]}
        stranger = {"sourceIPAddress": "203.0.113.9", "userIdentity": role("stranger")}
        assert world.see(record(call, requestParameters=asked, **stranger)) == []
    assert world.table.items == before


def test_a_key_that_is_denied_while_the_secret_is_allowed(world: World) -> None:
    refused = decrypt(DB, "v1", userIdentity=role("stranger"), errorCode="AccessDenied")
    assert one(world.see(refused), Kind.KEY_DENIED).weight == 3


def test_a_weak_signal_only_adds(world: World) -> None:
    bob = user("bob")
    weak = {"sessionContext": {"attributes": {"mfaAuthenticated": "false"}}}
    world.learn(read(at=LONG_AGO, by=bob))
    assert kinds(world.see(read(at=MORNING + 9 * HOUR, by={**bob, **weak}))) >= {
        Kind.NO_MFA,
        Kind.ODD_HOUR,
    }
    assert world.told == []
    world.see(read(arn("s3"), by={**bob, **weak}))
    assert [incident.level for incident in world.told] == [Level.MEDIUM]


def test_a_session_of_a_role_says_nothing_about_a_second_factor(world: World) -> None:
    assert world.see(read()) == []


def test_a_reader_that_returns_after_a_month() -> None:
    world = World()
    world.learn(*(read(at=LONG_AGO + hour * HOUR) for hour in range(24 * 7)))
    signals = world.see(read(at=LONG_AGO + 45 * DAY))
    assert kinds(signals) == {Kind.SILENCE}


def test_the_real_attacks_are_told_with_the_right_reasons() -> None:
    expected = {
        STRATUS.format("retrieve-secrets"): {Kind.BURST},
        STRATUS.format("batch-retrieve-secrets"): {Kind.BATCHES},
        "traildiscover/DescribeSecret.json": {Kind.DENIED_PROBING},
        "traildiscover/GetSecretValue.json": {Kind.DENIED_PROBING},
        "traildiscover/ListSecrets.json": {Kind.DENIED_PROBING},
    }
    assert sorted(expected) == sorted(str(file.relative_to(DATA)) for file in DATA.rglob("*.json"))
    for path, reasons in expected.items():
        assert kinds(World().see(*real(path))) == reasons
        world = World()
        assert kinds(world.see_each(*reversed(real(path)))) == reasons


def test_an_incident_gathers_what_one_principal_does_and_is_told_again_when_it_grows(
    world: World,
) -> None:
    stranger = role("stranger")
    world.see(read(by=stranger))
    world.see(*(read(arn(f"s{n}"), MORNING + 60, stranger) for n in range(25)))
    first, last = world.told
    assert first.id == last.id
    assert (first.level, last.level) == (Level.LOW, Level.CRITICAL)
    assert {reason.kind for reason in last.reasons} >= {Kind.NEW_READER, Kind.BURST, Kind.SPREAD}
    assert last.count == 26
    assert all(reason.baseline and reason.observed for reason in last.reasons)


def test_events_in_any_order_and_twice_end_in_the_same_incident(world: World) -> None:
    stranger = role("stranger")
    events = [listing(by=stranger)]
    events += [read(arn(f"s{n}"), MORNING + n, stranger) for n in range(25)]
    ends = []
    for order in (events, [*events, *events], list(reversed(events))):
        again = World(names=world.names)
        again.table.items.update(world.table.items)
        again.see_each(*order)
        (end,) = again.incidents()
        ends.append((end.id, end.level, end.count, {reason.kind for reason in end.reasons}))
    assert ends[0] == ends[1] == ends[2]


@pytest.mark.parametrize("order", [list, reversed])
def test_a_read_and_its_companion_say_the_same_in_either_order(
    world: World, order: Callable[..., Any]
) -> None:
    stranger = role("stranger")
    made = from_({"sourceIPAddress": "203.0.113.9", "userAgent": CLI}, stranger)
    world.see_each(*order([made, decrypt(DB, "v1", userIdentity=stranger)]))
    (end,) = world.incidents()
    assert {reason.kind for reason in end.reasons} == {
        Kind.NEW_READER,
        Kind.NEW_NETWORK,
        Kind.NEW_TOOL,
    }
