"""Rotations that are cut off: inside setSecret, and between setSecret and finishSecret."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.compare.application import Application, Observation, retries, wait_until
from benchmarks.compare.stage import Side, Stage, forbidden
from benchmarks.compare.table import Row, both
from benchmarks.compare.templates import CompareError, Strategy

KILLED = "Function killed (SIGKILL) inside setSecret, then the service's retry"
CUT = "Cut off between setSecret and finishSecret"
# What each strategy's last statement writes; the lock lets reads pass, and with them logins.
LAST_WRITTEN = {
    Strategy.SINGLE_USER: "pg_authid",
    Strategy.ALTERNATING_USERS: "pg_auth_members",
}
WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND pid <> pg_backend_pid()
"""
UPDATE = "secretsmanager:UpdateSecretVersionStage"


def probe(stage: Stage) -> list[Row]:
    killed = [
        both(stage, KILLED, strategy.capitalize(), partial(_killed, stage, strategy))
        for strategy in Strategy
    ]
    return killed + [row for strategy in Strategy for row in _cut(stage, strategy)]


def _cut(stage: Stage, strategy: Strategy) -> list[Row]:
    name = strategy.capitalize()
    retried = both(stage, CUT, f"{name}: the service's retry", partial(_retried, stage, strategy))
    columns = [_abandoned(stage, side, strategy) for side in stage.sides]
    return [
        retried,
        *(Row(CUT, f"{name}: {aspect}", *(c[aspect] for c in columns)) for aspect in columns[0]),
    ]


def _killed(stage: Stage, strategy: Strategy, side: Side) -> str:
    application = Application(stage, side, strategy, stage.target)
    application.target.execute(
        f"CREATE TABLE {application.name}.before_it (number integer)",
        f"ALTER TABLE {application.name}.before_it OWNER TO {application.name}",
    )
    with retries(stage, attempts=4), application.observing() as finished:
        with _statement_waiting(application, LAST_WRITTEN[strategy]):
            _kill(application)
        seen = finished()
    rights = application.run(
        application.value(),
        f"SELECT has_table_privilege('{application.name}.before_it', 'SELECT, INSERT')",
    )
    complete = "rights complete" if rights == [[True]] else "rights missing"
    return f"{_end(application, seen)}, {complete}"


@contextmanager
def _statement_waiting(application: Application, catalogue: str) -> Iterator[None]:
    """Starts a rotation; the block begins when its statement waits, and the lock ends with it."""
    with application.target.connect() as holder, application.target.connect() as watcher:
        holder.run("BEGIN")
        holder.run(f"LOCK TABLE pg_catalog.{catalogue} IN SHARE MODE")
        application.start()
        wait_until(lambda: watcher.run(WAITING) == [[1]], "setSecret's statement")
        yield
        holder.run("ROLLBACK")


def _kill(application: Application) -> None:
    """The process of this function in this account; other accounts may run on the machine."""
    wanted = (
        f"AWS_LAMBDA_FUNCTION_NAME={application.function.rpartition(':')[2]}",
        f"AWS_ENDPOINT_URL={application.stage.account.endpoint}",
    )
    pids = [pid for pid, environment in _environments() if set(wanted) <= environment]
    if not pids:
        raise CompareError("the process of the function was not found")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def _environments() -> Iterator[tuple[int, set[str]]]:
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = path.read_bytes().decode(errors="replace")
        except OSError:  # gone meanwhile, or another user's
            continue
        yield int(path.parent.name), set(variables.split("\0"))


def _retried(stage: Stage, strategy: Strategy, side: Side) -> str:
    application = Application(stage, side, strategy, stage.target)
    with retries(stage, attempts=50), application.observing() as finished:
        with forbidden(stage, side, UPDATE):
            before = len(stage.account.control("records")["records"])
            application.start()
            wait_until(lambda: _denied(stage, before), "finishSecret to be refused")
        seen = finished()
    return _end(application, seen)


def _denied(stage: Stage, before: int) -> bool:
    records = stage.account.control(f"records?after={before}")["records"]
    return any(record.get("errorCode") == "AccessDenied" for record in records)


def _abandoned(stage: Stage, side: Side, strategy: Strategy) -> dict[str, str]:
    """A person adds a key to the value after the rotation has failed: that abandons it.

    The person writes AWSCURRENT's value, as the console does.
    """
    application = Application(stage, side, strategy, stage.target)
    application.rotate()
    with forbidden(stage, side, UPDATE):
        application.rotate()
    found = {"labels that log in after the failure": _labels(application)}
    application.put({**application.value(), "application": "orders"})
    found["labels that log in after a person has edited the value (RotationAbandoned)"] = _labels(
        application
    )
    found["then a new rotation"] = _end(application, application.rotate())
    return found


def _labels(application: Application) -> str:
    return ", ".join(application.labels_that_log_in()) or "none"


def _end(application: Application, seen: Observation) -> str:
    logs_in = "logs in" if application.logs_in() else "does not log in"
    return f"{seen.end}, AWSCURRENT {logs_in}"
