"""What CloudTrail recorded while a test ran."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .conftest import Account, until

Record = dict[str, Any]


@dataclass(frozen=True)
class Trail:
    """Records from position `start` on."""

    account: Account
    start: int

    @classmethod
    def from_now(cls, account: Account) -> Trail:
        return cls(account, account.control(f"records?after={10**9}")["next"])

    def records(self, *names: str, text: str = "") -> list[Record]:
        """Those of the named calls or events, or all, with `text` anywhere in them."""
        found = self.account.control(f"records?after={self.start}")["records"]
        return [
            record
            for record in found
            if (not names or record["eventName"] in names) and text in str(record)
        ]

    def one(self, name: str, text: str) -> Record:
        """The only one of that name; other tests' rotations may still go on meanwhile."""
        found: list[Record] = until(lambda: self.records(name, text=text))
        assert len(found) == 1, found
        return found[0]


def shape(value: Any) -> Any:
    """Names and types, without the values."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__
