"""Facts that can be counted in the sources."""

from __future__ import annotations

import io
import tokenize
from difflib import SequenceMatcher
from pathlib import Path

from benchmarks.compare.table import Row
from benchmarks.compare.templates import Strategy, Templates, count_tests
from local.toolchain import CHECKOUT

SECTION = "Code for PostgreSQL, both strategies"
IGNORED = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def rows(templates: Templates) -> list[Row]:
    single, alternating = (code_lines(templates.sources[strategy]) for strategy in Strategy)
    ours = sum(len(code_lines(path)) for path in _rekey())
    twice = str(shared(single, alternating))
    tests = (templates.tests(), count_tests(CHECKOUT / "tests"))
    return [
        Row(SECTION, "Lines of code", str(len(single) + len(alternating)), str(ours)),
        Row(SECTION, "of them the same in both functions", twice, "one function for both"),
        Row(SECTION, "Test functions in the repository", *map(str, tests)),
    ]


def _rekey() -> list[Path]:
    layer = CHECKOUT / "layers" / "rekey" / "rekey"
    return [*sorted(layer.rglob("*.py")), CHECKOUT / "functions" / "rotate_postgresql" / "app.py"]


def code_lines(path: Path) -> list[str]:
    """Lines without blank ones, comments and docstrings."""
    text = path.read_text()
    lines = text.splitlines()
    numbers: set[int] = set()
    starts_statement = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in IGNORED:
            starts_statement = starts_statement or token.type == tokenize.NEWLINE
            continue
        if not (token.type == tokenize.STRING and starts_statement):
            numbers.update(range(token.start[0], token.end[0] + 1))
        starts_statement = False
    return [lines[number - 1].strip() for number in sorted(numbers)]


def shared(one: list[str], other: list[str]) -> int:
    """Lines that stand in both files in the same order, counted once."""
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks)
