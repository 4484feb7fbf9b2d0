"""What a function's log tells an operator about a failure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from benchmarks.compare.stage import HOST

LOGGED = re.compile(r"\[ERROR\]\t[^\t]*\t[^\t]*\t(?P<text>.+)")
RAISED = re.compile(r"\[ERROR\] \w+: (?P<text>.+)")
TIMED_OUT = re.compile(r"(?P<text>Task timed out after .+)")
NOTHING = "nothing"


def told(said: Sequence[str]) -> str:
    """Each message of a failure once, in the order of its first appearance."""
    texts: list[str] = []
    for text in map(_general, _failures(said)):
        # What is raised was logged before, as a rule, with the step in front of it.
        if not any(text in earlier for earlier in texts):
            texts.append(text)
    return "; ".join(text.rstrip(".") for text in texts) or NOTHING


def _failures(said: Sequence[str]) -> Iterator[str]:
    for line in map(str.strip, said):
        if line.startswith("{"):
            entry = json.loads(line)
            if entry.get("level") == "ERROR":
                yield f"{entry['outcome']}: {entry['reason']}"
            continue
        for pattern in (LOGGED, RAISED, TIMED_OUT):
            if (match := pattern.search(line)) is not None:
                yield match["text"]
                break


def _general(message: str) -> str:
    """Without what is another in every run."""
    without_arns = re.sub(r"arn:[\w:!/+=.@-]+", "…", message)
    without_ports = re.sub(rf"\b{HOST}:\d+", HOST, without_arns)
    return re.sub(r"\bapp_[0-9a-f]{8}", "app", without_ports)
