"""CloudTrail's log files, as a trail writes them to S3 and somebody has copied them here."""

import gzip
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

Record = dict[str, Any]


@dataclass
class LogFiles:
    """The files below a folder. ``unreadable`` are those that were none, in the end."""

    folder: Path
    account: str
    region: str
    unreadable: list[Path] = field(default_factory=list)

    def paths(self) -> list[Path]:
        """The newest first, as their names end with the time; digests hold no records."""
        found = (p for p in self.folder.rglob("*.json.gz") if "CloudTrail-Digest" not in p.name)
        return sorted(found, key=lambda path: path.name, reverse=True)

    def records(
        self, calls: Collection[str], since: int, until: int
    ) -> Iterator[tuple[int, Record]]:
        """Yield time (epoch) and record of the calls that this account and region saw."""
        for path in self.paths():
            for record in self._records(path):
                if record.get("eventName") in calls and self._is_here(record):
                    at = _seconds(record)
                    if since <= at <= until:
                        yield at, record

    def _records(self, path: Path) -> list[Record]:
        try:
            with gzip.open(path, "rt", encoding="utf-8") as file:
                records: list[Record] = json.load(file)["Records"]
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            self.unreadable.append(path)
            return []
        return records

    def _is_here(self, record: Record) -> bool:
        place = record.get("recipientAccountId"), record.get("awsRegion")
        return place == (self.account, self.region)


def _seconds(record: Record) -> int:
    return int(datetime.fromisoformat(record["eventTime"]).timestamp())
