"""What people decide not to be told about: refused where it could not be meant, and counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from local.access.__main__ import arguments
from local.access.suppression_request import (
    LONGEST_DAYS,
    SUPPRESSIBLE,
    SuppressionRefusedError,
    SuppressionRequest,
)
from rekey.access.signal import Signal, SignalKind
from rekey.access.suppression import hidden_key, parsed
from rekey.known import DAY, FULL, Item
from tests.access.records import MORNING, arn, record, role, stamp
from tests.access.world import LONG_AGO, World

CI = "arn:aws:iam::111122223333:role/ci"
MEANT = SuppressionRequest(
    name="ci-migration",
    owner="ann",
    reason="CI moves to another account",
    expires=MORNING + 30 * DAY,
    principal="arn:aws:iam::111122223333:role/ci*",
    kinds=("new-reader", "new-network"),
)


def signal(kind: SignalKind, principal: str = CI) -> Signal:
    return Signal(kind, 3, principal, MORNING, "", "", "", arn("prod/db"))


def test_what_is_asked_for_covers_what_was_meant() -> None:
    made = parsed(MEANT.document(MORNING))
    assert made.covers(signal(SignalKind.NEW_READER))
    assert not made.covers(signal(SignalKind.BURST))
    assert not made.covers(signal(SignalKind.NEW_READER, CI.replace("/ci", "/app")))
    assert MEANT.kept > MEANT.expires


def test_without_a_kind_it_covers_every_kind_that_can_be_suppressed() -> None:
    made = parsed(replace(MEANT, kinds=()).document(MORNING))
    assert [kind for kind in SignalKind if made.covers(signal(kind))] == [
        kind for kind in SignalKind if kind in SUPPRESSIBLE
    ]


@pytest.mark.parametrize(
    ("changes", "what_to_do"),
    [
        ({"name": "two words"}, "up to 64 letters"),
        ({"owner": " "}, "--owner must say something"),
        ({"reason": ""}, "--reason must say something"),
        ({"reason": "x" * 501}, "in 500 characters"),
        ({"expires": MORNING}, "Name a day to come"),
        ({"expires": MORNING + (LONGEST_DAYS + 1) * DAY}, "decide anew"),
        ({"kinds": ("decoy",)}, "decoy cannot be suppressed"),
        ({"kinds": ("root", "burst")}, "root cannot be suppressed"),
        ({"kinds": ("burts",)}, "There is no kind burts. There are batches, burst,"),
        ({"principal": "root:111122223333"}, "Root cannot be suppressed"),
        ({"principal": "ci-role"}, "as the message names it"),
        ({"principal": "arn:aws:sts::1:assumed-role/ci/i-1"}, "'arn:aws:iam::*:role/ci'"),
        ({"secret": "prod/db"}, "'*:secret:prod/db-*'"),
        ({"principal": "*", "kinds": ()}, "hide everything"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_to_do(
    changes: dict[str, Any], what_to_do: str
) -> None:
    with pytest.raises(SuppressionRefusedError) as refused:
        replace(MEANT, **changes).document(MORNING)
    assert what_to_do in str(refused.value)


@pytest.mark.parametrize("left_out", ["--owner", "--reason", "--until"])
def test_owner_reason_and_end_have_to_be_said(
    left_out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {"--owner": "ann", "--reason": "why", "--until": "2026-12-31"}
    words = [word for name, value in said.items() if name != left_out for word in (name, value)]
    with pytest.raises(SystemExit):
        arguments(["suppressions", "add", "ci", *words])
    assert left_out in capsys.readouterr().err


def watched(*documents: dict[str, Any]) -> World:
    """Many settled secrets, and what is suppressed about them."""
    world = World(suppressed=list(documents))
    world.learn(*(read(LONG_AGO, secret=arn(f"s{n}")) for n in range(100)))
    return world


def read(at: int, name: str = "app", secret: str = "") -> dict[str, Any]:
    asked = {"secretId": secret or arn("s0")}
    return record(eventTime=stamp(at), userIdentity=role(name), requestParameters=asked)


def named(name: str, **changes: Any) -> dict[str, Any]:
    return {**replace(MEANT, **changes).document(MORNING), "name": name}


def hidden(world: World, name: str) -> Item:
    return world.table.items[hidden_key(name)]


def test_what_was_hidden_is_counted_once_however_often_it_comes() -> None:
    world = watched(named("ci"), named("other", principal=f"{CI}-other"))
    reads = [read(MORNING + n, "ci", arn(f"s{n}")) for n in range(3)]
    assert world.see(*reads) == []
    assert world.see(*reads) == []
    assert len(hidden(world, "ci").members("marks")) == 3
    assert hidden(world, "ci").maxima["last"] == MORNING + 2
    assert hidden_key("other") not in world.table.items


def test_the_count_ends_somewhere_and_says_so() -> None:
    world = watched(named("ci", kinds=()))
    assert world.see(*(read(MORNING, "ci", arn(f"s{n}")) for n in range(100))) == []
    assert len(hidden(world, "ci").members("marks")) == 64
    assert FULL in hidden(world, "ci").members("flags")


def test_nothing_is_counted_while_nothing_is_suppressed() -> None:
    world = watched(named("ci", expires=MORNING + 1))
    assert world.see(read(MORNING + 1, "ci"))
    assert hidden_key("ci") not in world.table.items


def stranger(at: int, secret: str = "") -> dict[str, Any]:
    return read(at, "stranger", secret)


def kinds(signals: list[Signal]) -> set[SignalKind]:
    return {signal.kind for signal in signals}


def test_a_suppression_ends_and_never_hides_a_decoy() -> None:
    until = MORNING + DAY
    quiet = {"owner": "ann", "reason": "migration", "expires": until}
    world = watched({**quiet, "principal": "*role/stranger"})
    assert world.see(stranger(MORNING)) == []
    assert kinds(world.see(stranger(until + 1, arn("s1")))) == {SignalKind.NEW_READER}
    world.decoy_secrets = frozenset({arn("s2")})
    assert kinds(world.see(stranger(MORNING, arn("s2")))) == {SignalKind.DECOY}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"owner": "ann", "reason": "", "expires": MORNING + DAY, "principal": "*"},
        {"owner": "ann", "reason": "why", "principal": "*"},
        {"owner": "ann", "reason": "why", "expires": "never", "principal": "*"},
        {
            "owner": "ann",
            "reason": "why",
            "expires": MORNING + DAY,
            "principal": "*",
            "secret": "*s1*",
        },
        {
            "owner": "ann",
            "reason": "why",
            "expires": MORNING + DAY,
            "principal": "*",
            "kinds": ["root"],
        },
    ],
)
def test_a_suppression_that_does_not_say_what_it_must_hides_nothing(
    document: dict[str, Any],
) -> None:
    assert kinds(watched(document).see(stranger(MORNING))) == {SignalKind.NEW_READER}
