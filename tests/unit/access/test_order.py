"""However records are cut into batches, and in whatever order they come: the same is said."""

from __future__ import annotations

import pytest

from rekey.access.signal import SignalKind
from rekey.known import DAY, HOUR
from tests.access.records import MORNING, Record, arn, denied, person, record, role, stamp
from tests.access.world import LONG_AGO, World

ORDERS = pytest.mark.parametrize("backwards", [False, True])
SIZES = pytest.mark.parametrize("size", [1, 7, 100])


def seen(world: World, records: list[Record], size: int, *, backwards: bool) -> World:
    ordered = records[::-1] if backwards else records
    for start in range(0, len(ordered), size):
        world.see(*ordered[start : start + size])
    return world


@ORDERS
@SIZES
def test_every_secret_that_was_probed_is_counted(size: int, backwards: bool) -> None:
    probes = [denied(arn(f"s{n}"), eventTime=stamp(MORNING + 20 * n)) for n in range(12)]
    (incident,) = seen(World(), probes, size, backwards=backwards).incidents()
    assert (incident.count, incident.level.value) == (12, "medium")


@ORDERS
@SIZES
def test_a_burst_is_one_though_later_reads_of_the_same_arrive_before_it(
    size: int, backwards: bool
) -> None:
    first = [
        record(
            requestParameters={"secretId": arn(f"s{n}")},
            userIdentity=role("stranger"),
            eventTime=stamp(MORNING + n),
        )
        for n in range(25)
    ]
    later = [{**one, "eventTime": stamp(MORNING + (n + 1) * HOUR)} for n, one in enumerate(first)]
    (incident,) = seen(World(), [*first, *later], size, backwards=backwards).incidents()
    assert SignalKind.BURST in {reason.kind for reason in incident.reasons}


@SIZES
def test_who_stays_longer_by_the_hour_is_at_no_odd_hour(size: int) -> None:
    world, late = World(), person("ann", "Developer")
    for day in range(15):
        world.learn(record(userIdentity=late, eventTime=stamp(LONG_AGO + day * DAY)))
    evening = [record(userIdentity=late, eventTime=stamp(MORNING + n * HOUR)) for n in range(9)]
    batches = (evening[start : start + size] for start in range(0, len(evening), size))
    signals = [signal for batch in batches for signal in world.see(*batch)]
    assert SignalKind.ODD_HOUR not in {signal.kind for signal in signals}
