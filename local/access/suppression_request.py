"""What somebody wants not to be told of, refused where it could not do what is meant."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from rekey.access.signal import SignalKind
from rekey.access.suppression import EVERYTHING, KEPT, NEVER_SUPPRESSED
from rekey.known import DAY

LONGEST_DAYS = 366
LONGEST_TEXT = 500
NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,63}")
PRINCIPALS = re.compile(r"(arn:|person:|account:|service:|\*).*")
SESSION = re.compile(r"arn:[^:]*:sts:.*assumed-role/([^/]+)")
SUPPRESSIBLE = sorted(set(SignalKind) - NEVER_SUPPRESSED)


class SuppressionRefusedError(Exception):
    """It would cover nothing, or more than anybody can answer for; the text says what to do."""


@dataclass(frozen=True)
class SuppressionRequest:
    """``expires`` and ``now`` are epochs; no kinds means every kind that can be suppressed."""

    name: str
    owner: str
    reason: str
    expires: int
    principal: str
    secret: str = EVERYTHING
    kinds: tuple[str, ...] = ()

    def document(self, now: int) -> Mapping[str, Any]:
        """Return what is put into the table. Raises SuppressionRefusedError."""
        _check_name(self.name)
        _check_text("--owner", self.owner)
        _check_text("--reason", self.reason)
        _check_end(self.expires, now)
        _check_principal(self.principal)
        _check_secret(self.secret)
        _check_kinds(self.kinds)
        if (self.principal, self.secret, self.kinds) == (EVERYTHING, EVERYTHING, ()):
            raise SuppressionRefusedError(
                "That would hide everything. Name --principal, --secret or --kind."
            )
        return {
            "owner": self.owner,
            "reason": self.reason,
            "expires": self.expires,
            "principal": self.principal,
            "secret": self.secret,
            "kinds": sorted(set(self.kinds)),
        }

    @property
    def kept(self) -> int:
        """Until when the table keeps it (epoch): what has ended can be seen for a while."""
        return self.expires + KEPT


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise SuppressionRefusedError(
            f"The name {name!r} is none: up to 64 letters, digits, `-`, `_` and `.`."
        )


def _check_text(option: str, said: str) -> None:
    if not said.strip() or len(said) > LONGEST_TEXT:
        raise SuppressionRefusedError(f"{option} must say something, in {LONGEST_TEXT} characters.")


def _check_end(expires: int, now: int) -> None:
    if expires <= now:
        raise SuppressionRefusedError("The end has passed. Name a day to come.")
    if expires - now > LONGEST_DAYS * DAY:
        raise SuppressionRefusedError(
            f"The end is more than {LONGEST_DAYS} days ahead. Name an earlier one, and decide anew "
            "then."
        )


def _check_principal(principal: str) -> None:
    session = SESSION.match(principal)
    if session:
        raise SuppressionRefusedError(
            "A role counts, never its session: name the role, such as "
            f"'arn:aws:iam::*:role/{session[1]}'."
        )
    if principal.startswith("root:"):
        raise SuppressionRefusedError("Root cannot be suppressed: every use of it is told.")
    if not PRINCIPALS.fullmatch(principal):
        raise SuppressionRefusedError(
            f"{principal!r} matches nobody. Take the principal as the message names it: "
            "'arn:aws:iam::111122223333:role/ci-*', 'person:111122223333:Developer:ann', "
            "'service:backup.amazonaws.com', 'account:444455556666:*'."
        )


def _check_secret(secret: str) -> None:
    if not secret.startswith(("arn:", EVERYTHING)):
        raise SuppressionRefusedError(
            f"{secret!r} matches no secret: ARNs are compared. Take the whole one, or "
            f"'*:secret:{secret}-*'."
        )


def _check_kinds(kinds: Collection[str]) -> None:
    never = sorted(kind for kind in NEVER_SUPPRESSED if kind in kinds)
    if never:
        raise SuppressionRefusedError(f"{', '.join(never)} cannot be suppressed.")
    unknown = sorted(set(kinds) - set(SUPPRESSIBLE))
    if unknown:
        raise SuppressionRefusedError(
            f"There is no kind {', '.join(unknown)}. There are {', '.join(SUPPRESSIBLE)}."
        )
