"""Every place at which the network between function and server can break."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.database import Server
from tests.faults.effects import Effects
from tests.faults.points import Setting
from tests.faults.preparation import fresh
from tests.faults.proxy import AT_CONNECTIONS, AT_TURNS, OF_A_REPLY, SILENT, TRIES, Cut, Proxy, Turn
from tests.faults.target import Target

SECONDS_OF_A_FUNCTION = 1.0
"""The time of a function that waits in vain. Others have all they need."""

PATIENCE = 5.0
"""Secrets Manager takes longer until it tries again."""


@dataclass(frozen=True)
class NetworkPoint:
    """One turn, or one connection, of the rotations of a setting, and what happens there."""

    setting: Setting
    cut: Cut
    at: int | Turn

    @property
    def name(self) -> str:
        """What goes wrong, as in the table."""
        return self.cut.value

    def __str__(self) -> str:
        """What a failure prints; ``make prove POINT=...`` runs it alone."""
        what = "connection" if self.cut in AT_CONNECTIONS else "turn"
        return f"{self.setting}, {what} {self.at}: {self.cut.value}"


def network_points(target: Target, setting: Setting) -> Iterator[NetworkPoint]:
    """All places of a setting, found by running a rotation through a proxy that cuts nothing.

    Records of TLS are cut in another way now and then: what counts is what two runs have in common.
    """
    runs = [_uncut(target, setting) for _ in range(2)]
    turns = set.intersection(*(proxy.turns for proxy in runs))
    answered = set.intersection(*(proxy.answered for proxy in runs))
    for at in range(min(proxy.connections for proxy in runs)):
        yield from (NetworkPoint(setting, cut, at) for cut in AT_CONNECTIONS)
    for turn in sorted(turns):
        cuts = [cut for cut in AT_TURNS if turn in answered or cut not in OF_A_REPLY]
        yield from (NetworkPoint(setting, cut, turn) for cut in cuts)


def _uncut(target: Target, setting: Setting) -> Proxy:
    """A proxy that has counted a rotation."""
    with Proxy(target.address) as proxy:
        wrong = _rotate(target, setting, proxy).wrong
    if wrong:
        raise AssertionError(f"{setting}: without any cut: {wrong}")
    return proxy


def break_network(target: Target, point: NetworkPoint) -> tuple[list[str], list[str]]:
    """Let the network break there; what did not hold, and what the operator was told.

    How bytes fall into turns differs by one now and then: a rotation that has no such place is
    followed by another one.
    """
    wrong: list[str] = []
    told: list[str] = []
    for _ in range(TRIES):
        with Proxy(target.address) as proxy:
            rotated = _rotate(target, point.setting, proxy, point)
        wrong += rotated.wrong
        told += rotated.told
        # A queue that is full before anybody connects is no cut until somebody does.
        if proxy.fired and (rotated.attempts > 1 or point.cut is not Cut.NO_CONNECTION):
            return wrong, told
    return [*wrong, f"nothing was cut in {TRIES} rotations"], told


@dataclass(frozen=True)
class Rotated:
    """What did not hold, what the operator was told, and how many attempts it took."""

    wrong: list[str]
    told: list[str]
    attempts: int


def _rotate(
    target: Target, setting: Setting, proxy: Proxy, point: NetworkPoint | None = None
) -> Rotated:
    attempts = 0
    with fresh(
        target,
        Effects(has_begun=lambda: proxy.fired),
        setting.strategy,
        rotations_before=setting.course.rotations_before,
        kind=setting.course.kind,
        port=proxy.port,
    ) as schedule:
        proxy.arm(point.cut if point else None, point.at if point else 0)
        patient = schedule.world.seconds
        if point is not None and point.cut in SILENT:
            schedule.world.seconds = SECONDS_OF_A_FUNCTION

        def trouble_is_over() -> None:
            nonlocal attempts
            attempts += 1
            if attempts > 1:
                proxy.deliver()
            proxy.let_everything_pass()
            schedule.world.seconds = patient
            _wait_for_the_server(target, schedule.server)

        schedule.after_first_attempt = trouble_is_over
        wrong = schedule.run()
        return Rotated(wrong, schedule.told, attempts)


def _wait_for_the_server(target: Target, server: Server) -> None:
    """Until it has given up what it still held for a function that is gone."""
    deadline = time.monotonic() + PATIENCE
    while target.is_locked(server) and time.monotonic() < deadline:
        time.sleep(0.02)
