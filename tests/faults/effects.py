"""The effects of a rotation, as they happen, and one fault put at one of them.

An effect is a call to Secrets Manager, a login or a statement. They are not listed by hand: a
rotation that runs through tells them, and each of them is then a point at which something breaks.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Any, TypeVar

T = TypeVar("T")


class Killed(BaseException):
    """The function's process has ended: nothing of it runs any more, no handler and no rollback."""


@unique
class Kind(StrEnum):
    """What an effect reaches."""

    READ = "read"
    WRITE = "write"
    LOGIN = "login"
    STATEMENT = "statement"


@dataclass(frozen=True)
class Effect:
    """The ``number``-th effect since the schedule began."""

    number: int
    kind: Kind
    name: str


Fault = Callable[[Effect, Callable[[], Any]], Any]
"""Does, or does not do, what the effect would have done; returns or raises what the code sees."""


@dataclass
class Effects:
    """Watches the effects of the code under test, and lets the fault have one of them."""

    at: int | None = None
    fault: Fault | None = None
    seen: list[Effect] = field(default_factory=list)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Logins that the server refused to the code under test, by token and user name."""
    token: str | None = None
    """Whose step runs. None while the harness itself looks, logs in, and is refused."""
    fired: bool = False
    has_begun: Callable[[], bool] = lambda: False
    """Whether a fault that is not one of this object's own has happened."""
    changed: Callable[[Effect], None] = lambda _: None
    """Called after each effect that follows the fault, at that instant."""
    _watching: bool = False
    _dead: bool = False
    _connections: list[Any] = field(default_factory=list)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """One invocation of the function. Its connections end with it, as its process does."""
        self._watching, self._dead = True, False
        try:
            yield
        finally:
            self._watching = False
            for connection in self._connections:
                with contextlib.suppress(Exception):
                    connection.close()
            self._connections.clear()

    @contextlib.contextmanager
    def on_behalf_of(self, token: str | None) -> Iterator[None]:
        """Refused logins are this rotation's, in whichever invocation."""
        before, self.token = self.token, token
        try:
            yield
        finally:
            self.token = before

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Something else that happens meanwhile, and is no effect of this invocation."""
        watching, self._watching = self._watching, False
        try:
            with self.on_behalf_of(None):
                yield
        finally:
            self._watching = watching

    def kill(self) -> Killed:
        """From here on nothing of this invocation has an effect."""
        self._dead = True
        return Killed()

    def happen(self, kind: Kind, name: str, do: Callable[[], T]) -> T:
        """Let one effect happen, or its fault."""
        if not self._watching:
            return do()
        if self._dead:
            raise Killed
        effect = Effect(len(self.seen), kind, name)
        self.seen.append(effect)
        try:
            return self._let(effect, do)
        finally:
            self.fired = self.fired or self.has_begun()
            if self.fired:
                self.changed(effect)

    def _let(self, effect: Effect, do: Callable[[], T]) -> T:
        if effect.number != self.at or self.fault is None:
            return do()
        self.fired = True
        result: T = self.fault(effect, do)
        return result

    def log_in(
        self,
        connect: Callable[[], T],
        connection: Any,
        username: str,
        refused: Callable[[Exception], bool],
    ) -> T:
        """Let a login happen, and count it if the server refuses the password."""
        if self._watching:
            self._connections.append(connection)

        def counted() -> T:
            try:
                return connect()
            except Exception as error:
                if self.token is not None and refused(error):
                    self.refused[self.token, username] += 1
                raise

        return self.happen(Kind.LOGIN, f"log in as {username}", counted)
