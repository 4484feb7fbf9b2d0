"""Learn who reads the secrets from what CloudTrail has kept: page by page, and resumed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.access.bookmark import Bookmark, Span
from local.access.learner import Learner

CALLS = (
    "GetSecretValue",
    "BatchGetSecretValue",
    "ListSecrets",
    "DescribeSecret",
    "PutSecretValue",
    "UpdateSecret",
    "UpdateSecretVersionStage",
)
"""What the stack's rules deliver, but for uses of keys, of which there may be far more, and for
what is of interest on decoys only."""

DECRYPT = "Decrypt"
AT_A_TIME = 500
"""Records that are learned together."""
WRITTEN_AFTER = 10_000
"""Records between two writes into the table: what is read again after a crash."""

Found = Iterable[tuple[int, Mapping[str, Any]]]
Watcher = Callable[[int], None]
"""Is told how far back learning has come."""


@dataclass
class Seed:
    """Takes records, the newest first, so that what was learned is complete down to a moment."""

    learner: Learner
    bookmark: Bookmark
    span: Span
    now: int

    def run(self, records: Found, watcher: Watcher) -> int:
        """Return how many items were written. Raises StateTableFailure and OvertakenError."""
        held, unwritten, written = list[tuple[int, Mapping[str, Any]]](), 0, 0
        for found in records:
            held.append(found)
            if len(held) == AT_A_TIME:
                self.learner.take(held)
                unwritten += len(held)
                watcher(found[0])
                held.clear()
            if unwritten >= WRITTEN_AFTER:
                written, unwritten = written + self._write(found[0]), 0
        self.learner.take(held)
        watcher(self.span.since)
        return written + self._write(self.span.since)

    def _write(self, reached: int) -> int:
        written = self.learner.notebook.write()
        self.bookmark.put(self.span, reached, self.now)
        return written
