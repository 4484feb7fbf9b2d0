"""A finding as text, for people who read e-mail."""

from collections.abc import Iterator
from datetime import UTC

from rekey.alerts.finding import MOST_COUNTED, Finding, Table
from rekey.alerts.text import ascii_line, unlinked
from rekey.incident import Status

SUBJECT_LENGTH = 99
"""SNS: fewer than 100 characters, one line of ASCII."""

_STATUS = {Status.OPEN: "", Status.UPDATED: " (update)", Status.SOLVED: " (solved)"}
_FADED = " (closed)"
"""What went quiet is not solved by that."""


def secret_name(finding: Finding) -> str:
    """Return the secret's name with its random ending, as its ARN has it; empty if it has none."""
    return (finding.secret or "").rpartition(":secret:")[2]


def headline(finding: Finding) -> str:
    """Return kind, status and secret on one line."""
    name = secret_name(finding)
    about = f": {unlinked(name)}" if name else ""
    over = finding.wording.fades and finding.status is Status.SOLVED
    return f"{finding.wording.title}{_FADED if over else _STATUS[finding.status]}{about}"


def subject(finding: Finding) -> str:
    """Return the subject of a mail."""
    return ascii_line(f"[{finding.severity.upper()}] {headline(finding)}", SUBJECT_LENGTH)


def body(finding: Finding) -> str:
    """Return the whole message, in lines."""
    return "\n".join([*_lines(finding), ""])


def _lines(finding: Finding) -> Iterator[str]:
    yield from (headline(finding), "", finding.what, "")
    yield from (f"{name + ':':10}{value}" for name, value in facts(finding) if value)
    if finding.reasons:
        yield from ("", "Why you are told")
        for reason in finding.reasons:
            yield f"  - {reason.what}"
            yield f"    usual:    {reason.baseline}"
            yield f"    observed: {reason.observed}"
    if finding.table is not None:
        yield from ("", *_table(finding.table))
    yield from _section("What was done", finding.done)
    yield from _section("What to do next", finding.next_steps)


def _table(table: Table) -> Iterator[str]:
    """The last column is as long as it is."""
    lines = [table.columns, *table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=False)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=False))
        yield f"  {'  '.join(cells)}".rstrip()
    if table.more:
        yield f"  and {table.more} more"


def facts(finding: Finding) -> tuple[tuple[str, str], ...]:
    """Return what a reader looks up first, by name; empty where it is not known."""
    return (
        ("Severity", finding.severity.value),
        ("Secret", finding.secret or ""),
        ("Owner", unlinked(finding.owner or "")),
        ("When", f"{finding.when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"),
        ("Incident", finding.incident),
        ("Seen", _times(finding.count)),
    )


def _times(count: int) -> str:
    if count == 1:
        return ""
    return f"{count} times" + (" or more" if count >= MOST_COUNTED else "")


def _section(title: str, lines: tuple[str, ...]) -> Iterator[str]:
    if lines:
        yield from ("", title)
        yield from (f"  {number}. {line}" for number, line in enumerate(lines, 1))
