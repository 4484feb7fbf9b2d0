"""What the documents state: their tables and blocks of code, so that tests can hold them to it."""

import re
from collections.abc import Iterator

from local.toolchain import CHECKOUT


def document(name: str) -> str:
    return (CHECKOUT / "docs" / name).read_text()


def section(text: str, heading: str) -> str:
    """What stands below a heading, its own subsections included."""
    marks, _, _ = heading.partition(" ")
    start = text.index(f"\n{heading}\n") + len(heading) + 2
    end = re.compile(rf"^#{{1,{len(marks)}}} ", re.MULTILINE).search(text, start)
    return text[start : end.start() if end else len(text)]


def blocks(text: str, language: str) -> list[str]:
    """Fenced blocks of code in this language, indented ones too."""
    fenced = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", body, flags=re.MULTILINE) for indent, body in fenced]


def rows(text: str) -> Iterator[dict[str, str]]:
    """The rows of the first table, by the headings of its columns; code marks are taken off."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    heading, _, *rest = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    for cells in rest:
        yield {key: cell.replace("`", "") for key, cell in zip(heading, cells, strict=True)}


def headings(text: str, marks: str) -> list[str]:
    return re.findall(rf"^{marks} (.+)$", text, re.MULTILINE)
