"""What became of each secret of a campaign."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from sys import intern
from typing import Any


@unique
class Became(StrEnum):
    """REFUSED, SKIPPED and WOULD_ROTATE have touched nothing; FAILED may have.

    UNKNOWN: its child execution told nothing, and nobody knows how far it came.
    """

    ROTATED = "rotated"
    WOULD_ROTATE = "wouldRotate"
    REFUSED = "refused"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNKNOWN = "unknown"
    ROLLED_BACK = "rolledBack"
    NOT_ROLLED_BACK = "notRolledBack"


@dataclass(frozen=True, slots=True)
class Result:
    """There may be half a million of them in memory.

    ``version_id`` is the one that was rotated to; ``error`` the class of what went wrong.

    ``stale`` are some of the consumers that use the old version, if they were asked about.
    ``works`` are versions whose password still works, told only of compromised secrets, and
    ``unknown`` those that could not be tried.
    """

    secret_id: str
    became: Became
    reason: str = ""
    error: str = ""
    version_id: str = ""
    stale: tuple[str, ...] = ()
    works: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Result":
        """Read what the state machine wrote."""
        return cls(
            document["secretId"],
            Became(document["became"]),
            intern(document.get("reason", "")),
            intern(document.get("error", "")),
            document.get("versionId", ""),
            (),
            tuple(document.get("works", "").split()),
            tuple(document.get("unknown", "").split()),
        )

    def document(self, *, compromised: bool = False) -> dict[str, Any]:
        """Return it for people and programs; what is empty is left out.

        Of a compromised secret an empty ``works`` says something, and stays.
        """
        told = {
            "secretId": self.secret_id,
            "became": str(self.became),
            "reason": self.reason,
            "error": self.error,
            "versionId": self.version_id,
            "stale": list(self.stale),
            "works": list(self.works),
            "unknown": list(self.unknown),
        }
        kept = {"works", "unknown"} if compromised else set[str]()
        return {key: value for key, value in told.items() if value or key in kept}
