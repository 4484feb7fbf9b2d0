"""A sweep of 100,000 secrets, which no invocation gets through."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from rekey.alerts.sweep import RESERVE_SECONDS
from rekey.model import Deadline
from rekey.watched import Page, Progress, Watched
from tests.unit.alerts.findings import ARN, NOW
from tests.unit.alerts.test_sweep import DAY, HEALTHY, Night, Region

SECRETS, PAGE = 100_000, 100
LIMIT, TURN = 300.0, timedelta(minutes=15)
SECONDS_A_PAGE = 2.0
OVERDUE = (0, 54_321, SECRETS - 1)


class LargeRegion(Region):
    """ListSecrets of very many; each page takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.spent = 0.0
        self.listed = 0

    def page(self, token: str | None) -> Page | None:
        self.pages += 1
        self.spent += SECONDS_A_PAGE
        if self.pages == self.fail_at_page:
            raise ConnectionError
        start = int(token or 0)
        following = start + PAGE
        self.listed += PAGE
        secrets = tuple(one(number) for number in range(start, following))
        for number in OVERDUE:
            if start <= number < following:
                self.secrets[arn(number)] = secrets[number - start]
        return Page(secrets, str(following) if following < SECRETS else None)


@dataclass(frozen=True)
class Invocation(Deadline):
    """The time that is left of one."""

    region: LargeRegion

    def remaining(self) -> float:
        return self.at - self.region.spent


def arn(number: int) -> str:
    return ARN.replace("app/db", f"app/{number:06}")


def one(number: int) -> Watched:
    due = NOW - DAY if number in OVERDUE else HEALTHY.due
    return replace(HEALTHY, arn=arn(number), due=due)


def test_it_goes_on_turn_by_turn_after_a_crash_too_and_looks_at_each_secret() -> None:
    night, region = Night(), LargeRegion()
    night.region, region.fail_at_page = region, 333
    turns, progress = 0, Progress(NOW, "")
    while progress.token is not None:
        turns, night.time = turns + 1, night.time + TURN
        try:
            progress = night.sweep_until(Invocation(region.spent + LIMIT, region))
        except ConnectionError:
            continue
    assert progress.secrets == SECRETS
    assert [found["secret"] for found in night.listener.heard] == [arn(n) for n in OVERDUE]
    assert region.listed == SECRETS
    pages_a_turn = (LIMIT - RESERVE_SECONDS) / SECONDS_A_PAGE
    assert turns == pytest.approx(SECRETS / PAGE / pages_a_turn, abs=1.1)
    assert night.time - NOW < DAY / 8
