"""What `make prove` breaks: the rows of its table, each with its places."""

import re
import secrets
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

from hypothesis import seed
from hypothesis.stateful import run_state_machine_as_test

from local.certificates import Authority
from local.deploy import deploy, publish_ca_layer
from local.running_account import RunningAccount
from rekey.model import Strategy
from tests.conftest import Deployed
from tests.faults.deployed import (
    Function,
    Way,
    What,
    kill_at,
    kill_points,
    reached_through_proxies,
)
from tests.faults.machine import Rotations, histories
from tests.faults.network import break_network, network_points
from tests.faults.points import REFUSED, Course, Setting, break_at, points
from tests.faults.target import Target
from tests.faults.targets import ENGINES

HISTORIES = 5
SEEDS = 10
"""Other ones each time. So many histories come of each."""
SEED = re.compile(r"histories, seed (\d+)$")
EVERY = {"postgres": 1, "mysql": 3, "mariadb": 3}
"""At every how many-th turn of the server the deployed function is killed; at calls, at each."""

Broken = tuple[list[str], list[str]]
"""What did not hold, and what the operator was told."""


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    engine: str
    strategy: str
    what: str


@dataclass(frozen=True)
class Part:
    """A row's places, found when they are asked for, and what breaks there.

    ``names`` is how all their names begin.
    """

    row: Row
    names: str
    find: Callable[[], Iterable[Any]]
    break_at: Callable[[Any], Broken]

    def chosen(self, wanted: str) -> list[Any]:
        """Those whose name contains ``wanted``."""
        if not may_be_of(self.names, wanted):
            return []
        return [point for point in self.find() if wanted in str(point)]


@dataclass(frozen=True)
class Histories(Part):
    """Each place is a seed, and any other one can be asked for."""

    def chosen(self, wanted: str) -> list[Any]:
        """That of the seed which is asked for, or some."""
        asked = SEED.search(wanted)
        if asked and may_be_of(self.names, wanted[: asked.start()]):
            return [self.names + asked[1]]
        return super().chosen(wanted)


WORDS = (*ENGINES, *Strategy, *Course, *(f"{way} turn" for way in Way), "effect ", "histories")


def may_be_of(names: str, wanted: str) -> bool:
    """Whether a name that begins like this can contain ``wanted``."""
    return all(word in names or word not in wanted for word in WORDS)


def in_process(setting: Setting) -> Iterator[Part]:
    """Every effect and every turn of a rotation that runs in this process."""
    registered = ENGINES[setting.engine]
    with registered.start() as running:
        target = registered.target(running)
        what = target.title, f"{setting.strategy}, {setting.course}"
        effects = partial(points, target, setting)
        turns = partial(network_points, target, setting)
        broken, cut = partial(break_at, target), partial(break_network, target)
        yield Part(Row(*what, "effects"), f"{setting}, effect ", effects, broken)
        if setting.course not in REFUSED:
            yield Part(Row(*what, "network"), f"{setting}, ", turns, cut)


def many_secrets(engine: str) -> Iterator[Part]:
    """Histories of several secrets."""
    registered = ENGINES[engine]
    with registered.start() as running:
        yield _many_secrets(registered.target(running))


def _many_secrets(target: Target) -> Part:
    """Anything in any order, on several secrets."""
    names = f"{target.name}, histories, seed "

    def run(name: str) -> Broken:
        Rotations.target = target
        chosen = seed(int(name.removeprefix(names)))(Rotations)
        try:
            run_state_machine_as_test(chosen, settings=histories(HISTORIES))
        except AssertionError as failure:
            return [str(failure)], ["".join(traceback.format_exception(failure))]
        return [], []

    def seeds() -> list[str]:
        return [f"{names}{secrets.randbelow(10**9)}" for _ in range(SEEDS)]

    row = Row(target.title, "all of them", f"{HISTORIES} histories a place, of several secrets")
    return Histories(row, names, seeds, run)


@contextmanager
def an_account(authority: Authority) -> Iterator[Deployed]:
    """The stack, whose functions trust the servers that are broken."""
    with RunningAccount({"REKEY_ROTATION_DELAYS": "0.2"}) as account:
        layer = publish_ca_layer(account.port, authority.pem)
        outputs = deploy(account.port, {"CaBundleLayerArn": layer})
        yield Deployed(account, outputs, authority)


def deployed_functions(engine: str) -> Iterator[Part]:
    """Calls and turns of functions that are deployed, killed there."""
    authority, registered = Authority.create(), ENGINES[engine]
    with an_account(authority) as deployed, registered.start(authority=authority) as running:
        target = registered.target(running)
        with reached_through_proxies(deployed, target) as function:
            for strategy, what, way in product(registered.strategies, What, Way):
                if what is What.ROTATION or strategy is Strategy.DUAL_PASSWORD:
                    yield _killed(function, strategy, what, way)


def _killed(function: Function, strategy: Strategy, what: What, way: Way) -> Part:
    target = function.target
    every = EVERY[target.name] if way is Way.SERVER else 1
    row = Row(target.title, f"{strategy}, {what}", f"function killed, {way}")
    return Part(
        row,
        f"{target.name}, {strategy}, {what}, {way} turn ",
        lambda: kill_points(function, strategy, way, what)[::every],
        lambda point: (kill_at(function, point), []),
    )
