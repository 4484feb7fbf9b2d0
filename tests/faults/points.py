"""Every point at which a rotation can break: each effect with each trouble it can have."""

from collections.abc import Iterator
from dataclasses import dataclass

from local.postgres import Postgres
from tests.faults.catalogue import CATALOGUE, Trouble
from tests.faults.effects import Effect, Effects
from tests.faults.schedule import fresh


@dataclass(frozen=True)
class Setting:
    """What is rotated."""

    alternating: bool
    rotations_before: int

    @property
    def strategy(self) -> str:
        return "alternating-users" if self.alternating else "single-user"

    @property
    def rotation(self) -> str:
        return "later" if self.rotations_before else "first"

    def __str__(self) -> str:
        return f"{self.strategy}, {self.rotation} rotation"


SETTINGS = tuple(Setting(a, r) for a in (False, True) for r in (0, 1))


@dataclass(frozen=True)
class Point:
    """One effect of one setting, and what goes wrong there."""

    setting: Setting
    effect: Effect
    trouble: Trouble

    def __str__(self) -> str:
        """What a failure prints; ``make prove POINT=...`` runs it alone."""
        return f"{self.setting}, effect {self.effect.number}: {self.trouble.name}"


def discover(postgres: Postgres, setting: Setting) -> list[Effect]:
    """Run a rotation without a fault, and return what it did."""
    effects = Effects()
    with fresh(
        postgres,
        effects,
        alternating=setting.alternating,
        rotations_before=setting.rotations_before,
    ) as schedule:
        wrong = schedule.run()
    if wrong:
        raise AssertionError(f"{setting}: without any fault: {wrong}")
    return effects.seen


def points(postgres: Postgres, setting: Setting) -> Iterator[Point]:
    """All points of a setting, in the order of its effects."""
    for effect in discover(postgres, setting):
        for trouble in CATALOGUE:
            if effect.kind in trouble.kinds and (
                setting.alternating or not trouble.only_alternating
            ):
                yield Point(setting, effect, trouble)


def break_at(postgres: Postgres, point: Point) -> tuple[list[str], list[str]]:
    """Let it break there; what did not hold, and what the operator was told."""
    effects = Effects(at=point.effect.number)
    with fresh(
        postgres,
        effects,
        alternating=point.setting.alternating,
        rotations_before=point.setting.rotations_before,
    ) as schedule:
        effects.fault = point.trouble.make(schedule)
        wrong = schedule.run()
    if not effects.fired:
        wrong.append("the fault never fired")
    return wrong, schedule.told
