"""What a person reads: live on a terminal, the same lines one after the other elsewhere."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from local.demo.claims import Claim
from local.demo.timeline import CURRENT, PENDING, PREVIOUS, Labels, Row, Timeline

WIDEST = 120
SHORT_ID = 8
SHORT = {
    "DescribeSecret": "Describe",
    "GetSecretValue": "Get",
    "PutSecretValue": "Put",
    "UpdateSecretVersionStage": "Update",
}
COLUMNS = f"  {'step':<13}{'calls':<20}{'ms':>7}  {CURRENT:<11}{PENDING:<12}{PREVIOUS}"


@dataclass
class Line:
    """One thing that is started: what it turned out to be, and where it is."""

    what: str
    where: str = ""


class Screen:
    """Writes to standard output, or to the console that it is given."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._console.width = min(self._console.width, WIDEST)
        self._is_live = self._console.is_terminal and not self._console.is_dumb_terminal

    def scene(self, title: str) -> None:
        self._console.print(f"\n[bold]{escape(title)}[/]")

    def say(self, text: str) -> None:
        """A paragraph, wrapped to the width."""
        for line in textwrap.wrap(text, self._console.width - 2, break_on_hyphens=False):
            self._console.print(f"  {line}", markup=False)

    @contextmanager
    def starting(self, what: str) -> Iterator[Line]:
        """One line about what the block starts, with the time that it took."""
        line, started = Line(what), time.monotonic()
        if self._is_live:
            with self._console.status(f"{escape(what)} ..."):
                yield line
        else:
            yield line
        seconds = time.monotonic() - started
        self._console.print(f"  {line.what:<43}{line.where:<25}{seconds:5.1f} s", markup=False)

    @contextmanager
    def following(
        self, beside: Callable[[], str] | None = None
    ) -> Iterator[Callable[[Timeline], None]]:
        """Shows each new state of a timeline; on a terminal, what `beside` says below it."""
        if not self._is_live:
            self._console.print(COLUMNS, style="dim")
            yield _Printed(self._console).show
            return
        with Live(console=self._console, auto_refresh=False) as live:
            yield lambda timeline: live.update(self._picture(timeline, beside), refresh=True)

    @contextmanager
    def counting(self) -> Iterator[Callable[[str], object]]:
        """A line that changes on a terminal, and is gone when the block ends; else nothing."""
        if not self._is_live:
            yield len  # Something that takes a text and shows nothing.
            return
        with self._console.status("") as status:
            yield lambda text: status.update(escape(text))

    def claims(self, claims: Collection[Claim]) -> None:
        """The closing table."""
        table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False)
        table.add_column("claim", ratio=5)
        table.add_column("evidence", ratio=6)
        table.add_column("", width=4)
        for claim in claims:
            verdict = Text("pass", "green") if claim.holds else Text("FAIL", "bold red")
            table.add_row(Text(claim.what), Text(claim.evidence), verdict)
        self._console.print(table)

    def _picture(self, timeline: Timeline, beside: Callable[[], str] | None) -> Text:
        rows = (line for row in timeline.rows for line in _step(row, self._console.width))
        below = [Text(f"  {beside()}", "cyan")] if beside else []
        return Text("\n").join([Text(COLUMNS, "dim"), *rows, *_end(timeline), *below])


class _Printed:
    """Prints each line once: a step when it is over, then how the rotation ended."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed = 0

    def show(self, timeline: Timeline) -> None:
        over = (row for row in timeline.rows if row.is_over)
        lines = [line for row in over for line in _step(row, self._console.width)]
        lines += _end(timeline) if timeline.is_complete else ()
        for line in lines[self._printed :]:
            self._console.print(line)
        self._printed = len(lines)


def _step(row: Row, width: int) -> Iterator[Text]:
    calls = f"{len(row.calls)} {' '.join(SHORT.get(call, call) for call in row.calls)}"
    took = "..." if row.milliseconds is None else f"{row.milliseconds:.1f}"
    style = "red" if row.failed else ""
    yield Text(f"  {row.step:<13}{calls:<20}{took:>7}  ", style) + _places(row.labels)
    if row.failed:
        for text in textwrap.wrap(f"{row.outcome}: {row.reason}", width - 4):
            yield Text(f"    {text}", style)


def _end(timeline: Timeline) -> Iterator[Text]:
    if timeline.end is not None:
        yield Text(f"  {timeline.end:<42}", "bold") + _places(timeline.labels)


def _places(labels: Labels) -> Text:
    """Which version each label stands on, in the columns of their names."""
    text = Text()
    for label, width, style in ((CURRENT, 11, "green"), (PENDING, 12, "yellow"), (PREVIOUS, 8, "")):
        text.append(f"{labels.get(label, '')[:SHORT_ID]:<{width}}", style)
    text.rstrip()
    return text
