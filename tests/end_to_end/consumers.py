"""Consumers beside rotations: what logins see while passwords change, counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from local.consumer import Consumer, Read, cached
from rekey.model import Strategy
from tests.conftest import Deployed
from tests.end_to_end.application import Application, Rotated, wait_for
from tests.end_to_end.mysql_application import MysqlApplication

REFRESH = 1
"""Seconds; the caching library's own default is 3,600."""
PAUSE = 0.01


@dataclass(frozen=True)
class Setting:
    """What is rotated: an engine by the name of its fixture, and how."""

    engine: str
    strategy: Strategy

    def __str__(self) -> str:
        return f"{self.engine}, {self.strategy}"

    def application(self, deployed: Deployed, server: Any) -> Rotated:
        if self.engine == "postgres":
            alternating = self.strategy is Strategy.ALTERNATING_USERS
            return Application(deployed, server, alternating=alternating)
        return MysqlApplication(deployed, server, self.engine, self.strategy)


NOT_THERE = {
    ("postgres", Strategy.DUAL_PASSWORD),
}
SETTINGS = [
    Setting(engine, strategy)
    for engine in ("postgres", "mysql", "mariadb")
    for strategy in Strategy
    if (engine, strategy) not in NOT_THERE
]


@dataclass
class Seen:
    """What the consumers of one secret saw in all."""

    what: str
    consumers: int
    rotations: int = 0
    retirements: int = 0
    logins: int = 0
    refused: list[str] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)

    def add(self, consumer: Consumer) -> None:
        self.logins += consumer.tried
        self.refused += consumer.failures
        self.gaps += consumer.gaps

    def __str__(self) -> str:
        text = (
            f"{self.what}: {self.consumers} consumers, {self.rotations} rotations,"
            f" {self.retirements} retirements, {self.logins} logins, {len(self.refused)} refused"
        )
        if not self.gaps:
            return text
        middle, longest = median(self.gaps), max(self.gaps)
        return f"{text}; {len(self.gaps)} gaps, median {middle:.2f} s, longest {longest:.2f} s"


@dataclass
class Trial:
    """Rotates a secret, again and again, under consumers with a cache of their own each.

    The next rotation begins when every consumer has logged in with what the last one left, so that
    its cache was refreshed at least once in between.
    """

    application: Rotated
    seen: Seen
    consumers: Sequence[Consumer]

    def rotate(self) -> None:
        end = self.application.rotate_and_wait()
        assert end["eventName"] == "RotationSucceeded", self.application.log_lines()[-1]
        self.seen.rotations += 1
        answer = self.application.client.get_secret_value(SecretId=self.application.arn)
        current = str(answer["SecretString"])
        wait_for(
            lambda: all(consumer.serving == current for consumer in self.consumers),
            "every consumer to log in with the new version",
        )

    def retire(self) -> None:
        """The old password stops working, and every consumer goes on."""
        assert isinstance(self.application, MysqlApplication)
        old = self.application.value("AWSPREVIOUS")
        assert self.application.refusal(old["username"], old["password"]) is None
        answer = self.application.retire()
        assert answer["outcome"] == "retired", answer
        assert self.application.refusal(old["username"], old["password"]) is not None
        self.seen.retirements += 1
        self.let_each_log_in()

    def let_each_log_in(self) -> None:
        """Wait until every consumer has begun and ended a login."""
        before = [consumer.tried for consumer in self.consumers]
        wait_for(
            lambda: all(
                consumer.tried > tried + 1
                for consumer, tried in zip(self.consumers, before, strict=True)
            ),
            "another login of every consumer",
        )


@contextmanager
def trial(
    application: Rotated, what: str, consumers: int, read: Callable[[], Read] | None = None
) -> Iterator[Trial]:
    """Consumers that log in all the while; `seen` is complete when the block ends."""
    seen, read = Seen(what, consumers), read or (lambda: own_cache(application))
    crowd = [Consumer(read(), application.refusal, PAUSE) for _ in range(consumers)]
    with ExitStack() as running:
        for consumer in crowd:
            running.enter_context(consumer)
        trial = Trial(application, seen, crowd)
        trial.let_each_log_in()
        yield trial
        trial.let_each_log_in()
    for consumer in crowd:
        seen.add(consumer)


def own_cache(application: Rotated) -> Read:
    return cached(application.client, application.arn, REFRESH)


def rotate_under_consumers(
    application: Rotated,
    setting: Setting,
    consumers: int,
    rotations: int,
    read: Callable[[], Read] | None = None,
) -> Seen:
    """Rotate so many times; with dual-password, retire after every second one and after the last.

    So both are tried: a rotation while there are two passwords, and one while there is one.
    """
    what = f"{setting}, without a cache" if read else str(setting)
    with trial(application, what, consumers, read) as under:
        for number in range(rotations):
            under.rotate()
            last = number == rotations - 1
            if setting.strategy is Strategy.DUAL_PASSWORD and (number % 2 or last):
                under.retire()
    return under.seen
