"""Print verdicts: as a table with what was found below it, or as JSON."""

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.migration.findings import Finding, Severity
from local.migration.judgement import Verdict

STYLES = {Severity.STOPS: "bold red", Severity.NOTE: "yellow"}


def as_json(verdicts: Sequence[Verdict]) -> str:
    """One object: what could move, and each secret with its findings and commands."""
    return json.dumps(
        {
            "couldAllMove": all(verdict.could_move for verdict in verdicts),
            "secrets": [_object(verdict) for verdict in verdicts],
        },
        indent=2,
    )


def _object(verdict: Verdict) -> dict[str, Any]:
    return {
        "name": verdict.secret,
        "arn": verdict.arn,
        "function": {"arn": verdict.function, "origin": verdict.origin},
        "engine": verdict.engine,
        "strategy": verdict.strategy,
        "superuser": verdict.superuser,
        "couldMove": verdict.could_move,
        "findings": [
            {"severity": finding.severity, "text": finding.text, "todo": finding.todo}
            for finding in verdict.findings
        ],
        "switch": verdict.switch,
        "back": verdict.back,
    }


def print_report(console: Console, verdicts: Sequence[Verdict]) -> None:
    """The table, then each secret with what was found and the commands, which are never wrapped."""
    if not verdicts:
        console.print("No such secret has a rotation function.")
        return
    table = Table(title="What would happen to each secret")
    for heading in ("secret", "function now", "engine", "strategy", "superuser", "first rotation"):
        table.add_column(heading, overflow="fold")
    for verdict in verdicts:
        table.add_row(*map(Text, _cells(verdict)), _outcome(verdict))
    console.print(table)
    for verdict in verdicts:
        _print_details(console, verdict)
    stopped = sum(not verdict.could_move for verdict in verdicts)
    console.print(f"\nSecrets: {len(verdicts)}, would stop: {stopped}. Nothing was changed.")


def _cells(verdict: Verdict) -> tuple[str, ...]:
    superuser = (verdict.superuser or "").rpartition(":")[2]
    return (
        verdict.secret,
        f"{verdict.function.rpartition(':function:')[2]} ({verdict.origin})",
        verdict.engine or "?",
        verdict.strategy or "?",
        superuser or "-",
    )


def _outcome(verdict: Verdict) -> Text:
    if not verdict.could_move:
        return Text("would stop", STYLES[Severity.STOPS])
    if verdict.engine is None:
        return Text("not known", STYLES[Severity.NOTE])
    return Text("nothing against it", "green")


def _print_details(console: Console, verdict: Verdict) -> None:
    console.print()
    console.print(Text(verdict.secret, "bold"))
    for finding in verdict.findings:
        _print_finding(console, finding)
    if verdict.switch and verdict.back:
        _print_commands(console, "To switch, which only tests:", verdict.switch)
        _print_commands(console, "To go back:", verdict.back)


def _print_finding(console: Console, finding: Finding) -> None:
    console.print(Text(f"  {finding.severity}: ", STYLES[finding.severity]), end="")
    console.print(Text(finding.text), soft_wrap=True)
    for line in (finding.todo or "").splitlines():
        console.print(Text(f"    {line}"), soft_wrap=True)


def _print_commands(console: Console, what: str, command: str) -> None:
    console.print(f"  {what}")
    console.print(Text(f"    {command}"), soft_wrap=True)
