"""The table: on a terminal, piped, or as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.compare.stage import Side, Stage

NARROWEST = 60


@dataclass(frozen=True)
class Row:
    """What was observed of each side; `section` is the heading that it stands under."""

    section: str
    aspect: str
    templates: str
    rekey: str


def both(stage: Stage, section: str, aspect: str, measure: Callable[[Side], str]) -> Row:
    """One aspect, measured of one side after the other."""
    templates, rekey = (measure(side) for side in stage.sides)
    return Row(section, aspect, templates, rekey)


def show(console: Console, rows: Sequence[Row], conditions: Sequence[str]) -> None:
    if console.is_terminal and console.width >= NARROWEST:
        console.print(_rich(rows))
    else:
        print(_plain(rows))
    print("\nConditions:")
    for condition in conditions:
        print(f"- {condition}")


def _rich(rows: Sequence[Row]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_lines=False, pad_edge=False)
    for heading in ("", "AWS's templates", "Rekey"):
        table.add_column(heading, overflow="fold", ratio=1)
    for section, members in _sections(rows):
        table.add_section()
        table.add_row(Text(section, style="bold"))
        for row in members:
            table.add_row(*map(Text, (row.aspect, row.templates, row.rekey)))
    return table


def _plain(rows: Sequence[Row]) -> str:
    lines: list[str] = []
    for section, members in _sections(rows):
        lines += ["", section]
        for row in members:
            lines += [f"  {row.aspect}", f"    AWS's templates: {row.templates}"]
            lines += [f"    Rekey:           {row.rekey}"]
    return "\n".join(lines[1:])


def markdown(rows: Sequence[Row], conditions: Sequence[str]) -> str:
    """What docs/comparison.md holds."""
    parts = ["Conditions:", "", *(f"- {condition}" for condition in conditions)]
    for section, members in _sections(rows):
        parts += ["", f"### {section}", "", "| | AWS's templates | Rekey |", "| --- | --- | --- |"]
        parts += [_markdown_row(row) for row in members]
    return "\n".join(parts)


def _markdown_row(row: Row) -> str:
    cells = (cell.replace("|", "\\|") for cell in (row.aspect, row.templates, row.rekey))
    return f"| {' | '.join(cells)} |"


def _sections(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    names = dict.fromkeys(row.section for row in rows)
    return [(name, [row for row in rows if row.section == name]) for name in names]
