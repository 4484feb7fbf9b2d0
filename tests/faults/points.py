"""Every point at which a rotation can break: each effect with each trouble it can have."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import TypeVar

from rekey.model import Strategy
from tests.faults.catalogue import CATALOGUE, Trouble
from tests.faults.effects import Effect, Effects
from tests.faults.other_schedules import FormerlyDual, Refused, RefusedSuperuser, Retirement
from tests.faults.preparation import fresh
from tests.faults.schedule import Schedule
from tests.faults.target import Target
from tests.faults.targets import ENGINES

P = TypeVar("P")
PRIME = 31


@unique
class Course(StrEnum):
    """What runs while something breaks."""

    FIRST = "first rotation"
    LATER = "later rotation"
    THIRD = "third rotation"
    """Of alternating users: the clone again, after the base user's rights have changed."""
    RETIREMENT = "retirement"
    FORMERLY_DUAL = "after dual-password"
    """The first rotation since the secret asked for another strategy."""
    UNKNOWN = "password unknown"
    """What holds then is that it is not tried too often."""
    SUPERUSER_UNKNOWN = "superuser unknown"

    @property
    def kind(self) -> type[Schedule]:
        return KINDS.get(self, Schedule)

    @property
    def rotations_before(self) -> int:
        return {Course.LATER: 1, Course.THIRD: 2, Course.RETIREMENT: 1}.get(self, 0)

    def is_of(self, engine: str, strategy: Strategy) -> bool:
        """Whether there is such a thing with the strategy."""
        if self is Course.FORMERLY_DUAL:
            dual = Strategy.DUAL_PASSWORD
            return strategy is not dual and dual in ENGINES[engine].strategies
        if self is Course.SUPERUSER_UNKNOWN:
            return strategy is not Strategy.SINGLE_USER
        return ONLY_OF.get(self, strategy) is strategy


KINDS: Mapping[Course, type[Schedule]] = {
    Course.RETIREMENT: Retirement,
    Course.FORMERLY_DUAL: FormerlyDual,
    Course.UNKNOWN: Refused,
    Course.SUPERUSER_UNKNOWN: RefusedSuperuser,
}
ONLY_OF = {
    Course.THIRD: Strategy.ALTERNATING_USERS,
    Course.RETIREMENT: Strategy.DUAL_PASSWORD,
}
REFUSED = frozenset({Course.UNKNOWN, Course.SUPERUSER_UNKNOWN})


@dataclass(frozen=True)
class Setting:
    """What is broken."""

    engine: str
    strategy: Strategy
    course: Course

    def __str__(self) -> str:
        return f"{self.engine}, {self.strategy}, {self.course}"


def settings(engine: str) -> list[Setting]:
    """All of an engine: whatever strategies it says that it has."""
    return [
        Setting(engine, strategy, course)
        for strategy in ENGINES[engine].strategies
        for course in Course
        if course.is_of(engine, strategy)
    ]


SETTINGS = [setting for engine in ENGINES for setting in settings(engine)]


@dataclass(frozen=True)
class Point:
    """One effect of one setting, and what goes wrong there."""

    setting: Setting
    effect: Effect
    trouble: Trouble

    def __str__(self) -> str:
        """What a failure prints; ``make prove POINT=...`` runs it alone."""
        return f"{self.setting}, effect {self.effect.number}: {self.trouble.name}"


def one_of_each(found: Sequence[P], kind: Callable[[P], object], seed: int) -> list[P]:
    """A part that has every kind once, at places far apart; another seed takes other places."""
    kinds = list(dict.fromkeys(map(kind, found)))
    groups = ([point for point in found if kind(point) == one] for one in kinds)
    return [
        group[(PRIME * (seed + 1) * (number + 1)) % len(group)]
        for number, group in enumerate(groups)
    ]


def discover(target: Target, setting: Setting) -> list[Effect]:
    """Run a rotation without a fault, and return what it did."""
    effects, course = Effects(), setting.course
    with fresh(
        target,
        effects,
        setting.strategy,
        rotations_before=course.rotations_before,
        kind=course.kind,
    ) as schedule:
        wrong = schedule.run()
    if wrong:
        raise AssertionError(f"{setting}: without any fault: {wrong}; told: {schedule.told}")
    return effects.seen


def points(target: Target, setting: Setting) -> Iterator[Point]:
    """All points of a setting, in the order of its effects."""
    superuser = setting.course.kind.names_superuser or setting.strategy is not Strategy.SINGLE_USER
    for effect in discover(target, setting):
        for trouble in CATALOGUE:
            if effect.kind in trouble.kinds and (superuser or not trouble.only_with_superuser):
                yield Point(setting, effect, trouble)


def break_at(target: Target, point: Point) -> tuple[list[str], list[str]]:
    """Let it break there; what did not hold, and what the operator was told."""
    effects, course = Effects(at=point.effect.number), point.setting.course
    with fresh(
        target,
        effects,
        point.setting.strategy,
        rotations_before=course.rotations_before,
        kind=course.kind,
    ) as schedule:
        effects.fault = point.trouble.make(schedule)
        schedule.excused = int(course in REFUSED and point.trouble.hides_a_refusal)
        wrong = schedule.run()
    if not effects.fired:
        wrong.append("the fault never fired")
    return wrong, schedule.told
