"""A finding as plain JSON, for programs. The schema is documented in docs/operations.md."""

import json
from datetime import UTC
from typing import Any

from rekey.alerts.finding import Finding, Table

SCHEMA = "rekey.finding/1"
"""The number changes if a key is renamed, removed or gets another meaning; new keys may come."""


def document(finding: Finding) -> dict[str, Any]:
    """Return the finding's JSON object."""
    return {
        "schema": SCHEMA,
        "kind": finding.kind.value,
        "title": finding.wording.title,
        "severity": finding.severity.value,
        "status": finding.status.value,
        "incident": finding.incident,
        "topic": finding.topic,
        "count": finding.count,
        "time": finding.when.astimezone(UTC).isoformat(timespec="seconds"),
        "secret": finding.secret,
        "secrets": list(finding.secrets),
        "actor": finding.actor,
        "owner": finding.owner,
        "what": finding.what,
        "reasons": [
            {"what": reason.what, "baseline": reason.baseline, "observed": reason.observed}
            for reason in finding.reasons
        ],
        "table": _table(finding.table),
        "done": list(finding.done),
        "nextSteps": list(finding.next_steps),
    }


def _table(table: Table | None) -> dict[str, Any] | None:
    if table is None:
        return None
    rows = [list(row) for row in table.rows]
    return {"columns": list(table.columns), "rows": rows, "more": table.more}


def as_json(finding: Finding) -> str:
    """Return the document as text."""
    return json.dumps(document(finding), separators=(",", ":"), ensure_ascii=False)
