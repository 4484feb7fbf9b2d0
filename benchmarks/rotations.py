"""What one rotation costs, beside the floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.application import Application, Cost, Rotation
from benchmarks.deployed import deploy_floor
from benchmarks.stage import BenchError, Stage
from rekey.model import Step, Strategy

STRATEGIES = (Strategy.SINGLE_USER, Strategy.ALTERNATING_USERS)
WARM_UP = 4


@dataclass(frozen=True)
class Comparison:
    """One strategy: rotations of Rekey's function and of the floor, in turn."""

    strategy: Strategy
    warm: list[tuple[Rotation, Rotation]]
    cold: list[tuple[Rotation, Rotation]]


@dataclass(frozen=True)
class Line:
    """One step, or the whole rotation: medians in milliseconds, Rekey's and the floor's."""

    what: str
    calls: int
    logins: int
    warm: tuple[float, float]
    cold: tuple[float, float]


def compare(stage: Stage, strategy: Strategy, warm_runs: int, cold_runs: int) -> Comparison:
    sides = (
        Application(stage, strategy, stage.function_arn),
        deploy_floor(stage, strategy),
    )
    for _ in range(WARM_UP):
        _both(sides, cold=False)
    warm = [_both(sides, cold=False) for _ in range(warm_runs)]
    _check_same(warm)
    return Comparison(strategy, warm, [_both(sides, cold=True) for _ in range(cold_runs)])


def _both(sides: tuple[Application, Application], *, cold: bool) -> tuple[Rotation, Rotation]:
    ours, floor = sides
    return ours.rotate(cold=cold), floor.rotate(cold=cold)


def _check_same(pairs: Sequence[tuple[Rotation, Rotation]]) -> None:
    """The floor is one only if it does the same; two in a row, as users alternate."""
    ours, floor = ([side.statements for side in sides] for sides in zip(*pairs, strict=True))
    if sum(ours[:2]) != sum(floor[:2]):
        raise BenchError(f"the floor sends {floor[:2]} statements, Rekey sends {ours[:2]}")
    for one, other in pairs:
        if (one.whole.calls, one.whole.logins) != (other.whole.calls, other.whole.logins):
            raise BenchError(f"the floor makes {other.whole}, Rekey makes {one.whole}")


def lines(comparison: Comparison) -> list[Line]:
    """One line for each step, and one for the whole rotation."""
    return [*(_line(comparison, step) for step in Step), _line(comparison, None)]


def _line(comparison: Comparison, step: Step | None) -> Line:
    cost = _cost(comparison.warm[-1][0], step)
    return Line(
        step or "whole rotation",
        cost.calls,
        cost.logins,
        _medians(comparison.warm, step),
        _medians(comparison.cold, step),
    )


def _medians(pairs: Sequence[tuple[Rotation, Rotation]], step: Step | None) -> tuple[float, float]:
    ours, floor = zip(*pairs, strict=True)
    return (
        median(_cost(rotation, step).milliseconds for rotation in ours),
        median(_cost(rotation, step).milliseconds for rotation in floor),
    )


def _cost(rotation: Rotation, step: Step | None) -> Cost:
    return rotation.whole if step is None else rotation.steps[step]
