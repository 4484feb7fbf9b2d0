"""What PostgreSQL's own log says about connections and statements."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

# The prefix is that of local.postgres: "%m [%p] %q%u@%d ".
LINE = re.compile(r"^\S+ \S+ \S+ \[(?P<pid>\d+)\] (?:\S+@\S+ )?(?P<level>[A-Z]+): +(?P<text>.*)$")
AUTHORIZED = re.compile(r"connection authorized: user=(?P<user>\S+)(?P<rest>.*)")
WRONG_PASSWORD = re.compile(r'password authentication failed for user "(?P<user>[^"]+)"')


@dataclass
class Session:
    """One connection, from the server's side."""

    authorized: bool = False
    encrypted: bool = False
    refusal: str = ""
    statements: list[str] = field(default_factory=list)

    def states_in_clear(self, text: str) -> bool:
        """Whether this text came in a statement over a connection without TLS."""
        return not self.encrypted and any(text in statement for statement in self.statements)


def sessions(log: str) -> list[Session]:
    """In the order of their beginning; those that only knocked are among them."""
    found: list[Session] = []
    by_process: dict[str, Session] = {}
    present: Session | None = None
    for line in log.splitlines():
        match = LINE.match(line)
        if match is None:
            _continue(present, line)
            continue
        if match["text"].startswith("connection received"):
            by_process[match["pid"]] = Session()
            found.append(by_process[match["pid"]])
        present = by_process.get(match["pid"])
        if present is not None:
            _take(present, match["level"], match["text"])
    return found


def _take(session: Session, level: str, text: str) -> None:
    if (authorized := AUTHORIZED.match(text)) is not None:
        session.authorized = True
        session.encrypted = "SSL enabled" in authorized["rest"]
    elif level == "FATAL":
        session.refusal = text
    elif text.startswith(("statement:", "execute ")):
        session.statements.append(text)


def _continue(session: Session | None, line: str) -> None:
    """A statement of several lines."""
    if session is not None and session.statements:
        session.statements[-1] += f"\n{line}"


def logins(seen: Iterable[Session]) -> int:
    """Attempts that ended in a session or in a refusal."""
    return sum(session.authorized or bool(session.refusal) for session in seen)


def wrong_passwords(seen: Iterable[Session]) -> Counter[str]:
    """How often the server refused a password, by user."""
    matches = (WRONG_PASSWORD.match(session.refusal) for session in seen)
    return Counter(match["user"] for match in matches if match)
