"""A finding as a message of Amazon Q Developer in chat applications (Slack, Teams).

Source: Amazon Q Developer in chat applications Administrator Guide, "Custom notifications".
"""

import json
from collections.abc import Iterator
from typing import Any

from rekey.alerts.finding import Finding, Table
from rekey.alerts.mail import facts, headline
from rekey.alerts.text import markdown, one_line

DESCRIPTION_LENGTH = 6000
TITLE_LENGTH = 200


def notification(finding: Finding) -> dict[str, Any]:
    """Return the JSON object. All messages of an incident have one thread."""
    title = one_line(markdown(headline(finding)), TITLE_LENGTH)
    return {
        "version": "1.0",
        "source": "custom",
        "id": f"{finding.incident}-{finding.status}-{finding.count}",
        "content": {
            "textType": "client-markdown",
            "title": f"{finding.severity.upper()}: {title}",
            "description": "\n".join(_description(finding))[:DESCRIPTION_LENGTH],
            "nextSteps": [markdown(step) for step in finding.next_steps],
            "keywords": [finding.kind.value, finding.severity.value, finding.status.value],
        },
        "metadata": {
            "threadId": finding.incident,
            "summary": title,
            "eventType": finding.kind.value,
            "relatedResources": list(finding.secrets),
            "additionalContext": {
                "kind": finding.kind.value,
                "severity": finding.severity.value,
                "status": finding.status.value,
                "incident": finding.incident,
            },
        },
    }


def as_json(finding: Finding) -> str:
    """Return the notification as text."""
    return json.dumps(notification(finding), ensure_ascii=False)


def _description(finding: Finding) -> Iterator[str]:
    yield markdown(finding.what)
    yield ""
    yield from (f"{name}: {markdown(value)}" for name, value in facts(finding) if value)
    for reason in finding.reasons:
        what, usual, seen = map(markdown, (reason.what, reason.baseline, reason.observed))
        yield f"• {what} (usual: {usual}; observed: {seen})"
    if finding.table is not None:
        yield from _table(finding.table)
    yield from (f"Done: {markdown(line)}" for line in finding.done)


def _table(table: Table) -> Iterator[str]:
    """Chat clients know no tables: a line says what each of its cells is."""
    for row in table.rows:
        first, *rest = (markdown(cell) for cell in row)
        named = zip(table.columns[1:], rest, strict=False)
        yield f"• {first} ({'; '.join(f'{name}: {cell}' for name, cell in named)})"
    if table.more:
        yield f"and {table.more} more"
