"""Every place at which the network between function and server can break."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from local.postgres import Postgres
from tests.faults.effects import Effects
from tests.faults.points import Setting
from tests.faults.proxy import AT_CONNECTIONS, AT_TURNS, OF_A_REPLY, SILENT, Cut, Proxy
from tests.faults.schedule import fresh

SECONDS_OF_A_FUNCTION = 1.0
"""The time of a function that waits in vain. Others have all they need."""

PATIENCE = 5.0
"""Secrets Manager takes longer until it tries again."""


@dataclass(frozen=True)
class NetworkPoint:
    """One turn, or one connection, of the rotations of a setting, and what happens there."""

    setting: Setting
    cut: Cut
    at: int

    @property
    def name(self) -> str:
        """What goes wrong, as in the table."""
        return self.cut.value

    def __str__(self) -> str:
        """What a failure prints; ``make prove POINT=...`` runs it alone."""
        what = "connection" if self.cut in AT_CONNECTIONS else "turn"
        return f"{self.setting}, {what} {self.at}: {self.cut.value}"


def network_points(postgres: Postgres, setting: Setting) -> Iterator[NetworkPoint]:
    """All places of a setting, found by running a rotation through a proxy that cuts nothing."""
    with Proxy((postgres.host, postgres.port)) as proxy:
        wrong, _ = _rotate(postgres, setting, proxy)
    if wrong:
        raise AssertionError(f"{setting}: without any cut: {wrong}")
    for at in range(proxy.connections):
        yield from (NetworkPoint(setting, cut, at) for cut in AT_CONNECTIONS)
    for at in range(proxy.turns):
        cuts = [cut for cut in AT_TURNS if at in proxy.answered or cut not in OF_A_REPLY]
        yield from (NetworkPoint(setting, cut, at) for cut in cuts)


def break_network(postgres: Postgres, point: NetworkPoint) -> tuple[list[str], list[str]]:
    """Let the network break there; what did not hold, and what the operator was told.

    How bytes fall into turns differs by one now and then, so the last place may not exist: such
    a rotation just ends right.
    """
    with Proxy((postgres.host, postgres.port)) as proxy:
        return _rotate(postgres, point.setting, proxy, point)


def _rotate(
    postgres: Postgres, setting: Setting, proxy: Proxy, point: NetworkPoint | None = None
) -> tuple[list[str], list[str]]:
    with fresh(
        postgres,
        Effects(),
        alternating=setting.alternating,
        rotations_before=setting.rotations_before,
        port=proxy.port,
    ) as schedule:
        proxy.arm(point.cut if point else None, point.at if point else 0)
        patient = schedule.world.seconds
        if point is not None and point.cut in SILENT:
            schedule.world.seconds = SECONDS_OF_A_FUNCTION

        def trouble_is_over() -> None:
            proxy.let_everything_pass()
            schedule.world.seconds = patient
            _wait_for_the_server(postgres, schedule.server.base)

        schedule.after_first_attempt = trouble_is_over
        return schedule.run(), schedule.told


def _wait_for_the_server(postgres: Postgres, base: str) -> None:
    """Until it has given up what it still held for a function that is gone."""
    held = (
        "SELECT count(*) FROM pg_stat_activity"
        f" WHERE usename ~ '^{base}' AND state LIKE 'idle in transaction%'"
    )
    deadline = time.monotonic() + PATIENCE
    while postgres.execute(held)[0][0] and time.monotonic() < deadline:
        time.sleep(0.02)
