"""Whether two alternating users can both work with what either of them creates."""

from __future__ import annotations

import pg8000.native
from pg8000.native import identifier

from benchmarks.compare.application import Application, Document
from benchmarks.compare.stage import Side, Stage
from benchmarks.compare.table import Row
from benchmarks.compare.templates import CompareError, Strategy

SECTION = "What alternating users create"
ROLES = ("base user", "clone")
ACTIONS = {
    "read": "SELECT * FROM {table}",
    "write": "INSERT INTO {table} VALUES (1)",
    "alter": "ALTER TABLE {table} ADD COLUMN {column} integer",
}


def probe(stage: Stage) -> list[Row]:
    columns = [_findings(stage, side) for side in stage.sides]
    return [Row(SECTION, aspect, *(column[aspect] for column in columns)) for aspect in columns[0]]


def _findings(stage: Stage, side: Side) -> dict[str, str]:
    """After two rotations AWSPREVIOUS and AWSCURRENT hold the clone and the base user."""
    application = Application(stage, side, Strategy.ALTERNATING_USERS, stage.target)
    for _ in range(2):
        if not application.rotate().succeeded:
            raise CompareError(f"{side.name} did not rotate with alternating users")
    values = (application.value(), application.value(VersionStage="AWSPREVIOUS"))
    users = dict(zip(ROLES, values, strict=True))
    findings = {}
    for maker, other in (ROLES, ROLES[::-1]):
        table = f"{identifier(application.name)}.made_by_{maker.replace(' ', '_')}"
        application.run(users[maker], f"CREATE TABLE {table} (number integer)")
        owner = _owner(application, table)
        findings[f"Owner of a table that the {maker} creates"] = (
            "base user" if owner == application.name else "clone"
        )
        findings[f"The {other} may with it"] = _allowed(application, users[other], table)
    return findings


def _owner(application: Application, table: str) -> str:
    rows = application.target.execute(
        f"SELECT relowner::regrole::text FROM pg_class WHERE oid = '{table}'::regclass"  # noqa: S608 - a name of ours
    )
    return str(rows[0][0])


def _allowed(application: Application, user: Document, table: str) -> str:
    allowed = []
    for action, statement in ACTIONS.items():
        try:
            application.run(user, statement.format(table=table, column="added"))
        except pg8000.native.DatabaseError:
            continue
        allowed.append(action)
    return ", ".join(allowed) or "nothing"
