"""What a rotation costs, and where the new password is left behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.compare.application import Application, Observation
from benchmarks.compare.function_log import told
from benchmarks.compare.server_log import logins, wrong_passwords
from benchmarks.compare.stage import Side, Stage
from benchmarks.compare.table import Row
from benchmarks.compare.templates import CompareError, Strategy

COST = "What a rotation costs"
LEAKS = "Where the new password is left behind"
WARM_UP = 3


@dataclass(frozen=True)
class Course:
    """An application that has rotated: what its first and its latest warm-up rotation showed."""

    application: Application
    first: Observation
    later: Observation


def probe(stage: Stage, rounds: int) -> list[Row]:
    rows = []
    for strategy in Strategy:
        courses = [_course(stage, side, strategy) for side in stage.sides]
        rows += [*_costs(courses, strategy), _milliseconds(courses, strategy, rounds)]
        rows += _leaks(courses, strategy)
    return rows


def _course(stage: Stage, side: Side, strategy: Strategy) -> Course:
    application = Application(stage, side, strategy, stage.target)
    rotations = [_rotate(application) for _ in range(WARM_UP)]
    return Course(application, rotations[0], rotations[-1])


def _rotate(application: Application) -> Observation:
    seen = application.rotate()
    if not seen.succeeded or not application.logs_in():
        raise CompareError(f"{application.side.name} ended {seen.end}: {told(seen.said)}")
    return seen


def _costs(courses: Sequence[Course], strategy: Strategy) -> list[Row]:
    def row(aspect: str, count: Callable[[Observation], int]) -> Row:
        pairs = [(count(course.first), count(course.later)) for course in courses]
        cells = [f"{a}" if a == b else f"{a} at first, later {b}" for a, b in pairs]
        return Row(COST, f"{aspect}, {strategy}", *cells)

    return [
        row("Secrets Manager calls", lambda seen: seen.calls.total()),
        row("Logins", lambda seen: logins(seen.sessions)),
        row("Logins with a wrong password", lambda seen: wrong_passwords(seen.sessions).total()),
    ]


def _milliseconds(courses: Sequence[Course], strategy: Strategy, rounds: int) -> Row:
    """Both sides in turn, so that whatever else the machine does meets both."""
    seconds: list[list[float]] = [[] for _ in courses]
    for _ in range(rounds):
        for course, taken in zip(courses, seconds, strict=True):
            taken.append(_rotate(course.application).seconds)
    cells = [f"{1000 * median(taken):.0f}" for taken in seconds]
    return Row(COST, f"Milliseconds, {strategy}: median of {rounds}, warm", *cells)


def _leaks(courses: Sequence[Course], strategy: Strategy) -> list[Row]:
    seen = [(course, _rotate(course.application)) for course in courses]

    def row(aspect: str, found: Callable[[Course, Observation, str], bool]) -> Row:
        cells = [_yes(found(*one, one[0].application.value()["password"])) for one in seen]
        return Row(LEAKS, f"{aspect}, {strategy}", *cells)

    return [
        row("PostgreSQL's log", lambda _, seen, password: password in seen.log),
        row("pg_stat_statements", lambda course, _, password: _in_statistics(course, password)),
        row("The function's log", lambda _, seen, password: password in "".join(seen.said)),
    ]


def _in_statistics(course: Course, password: str) -> bool:
    rows = course.application.target.execute("SELECT query FROM pg_stat_statements")
    return any(password in query for (query,) in rows)


def _yes(found: bool) -> str:  # noqa: FBT001 - the answer itself
    return "yes" if found else "no"
