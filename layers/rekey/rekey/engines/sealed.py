"""The one wrapper around every engine: no secret value leaves in an error.

An engine cannot forget this: ``Sealed`` stands between it and the rotation core, knows every
secret that went in, and lets out only errors of our own tree with those values struck out.
"""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from rekey.credential import Credential
from rekey.errors import EngineFailure, RekeyError
from rekey.model import Deadline, Strategy
from rekey.ports import Connection, Engine, OnePassword, PeerChange, TwoPasswords

STRUCK_OUT = "[secret]"
WITHHELD = "The text is withheld: it holds a secret too short to strike out."
SHORT = 8
"""Striking out a shorter value would show what it was by what is missing."""

P = ParamSpec("P")
T = TypeVar("T")


class Secrets:
    """The secret values that one login has seen."""

    def __init__(self, *values: str) -> None:
        self._values = set(values)

    def add(self, value: str) -> None:
        """Remember one more."""
        self._values.add(value)

    def strike(self, text: str) -> str:
        """Return ``text`` without the values, as they are, quoted, or in base64."""
        for value in sorted(self._forms(), key=len, reverse=True):
            if value in text and len(value) < SHORT:
                return WITHHELD
            text = text.replace(value, STRUCK_OUT)
        return text

    def _forms(self) -> set[str]:
        plain = {value for value in self._values if value}
        quoted = {value.replace("'", "''") for value in plain} | {repr(v)[1:-1] for v in plain}
        encoded = {base64.b64encode(value.encode()).decode() for value in plain}
        return plain | quoted | encoded

    def guard(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call ``function``; what it raises leaves clean, and without the original as context."""
        try:
            return function(*args, **kwargs)
        except RekeyError as error:
            failure: RekeyError = type(error)(self.strike(str(error)))
        except Exception as error:  # noqa: BLE001 - whatever a driver raises may hold a secret
            failure = EngineFailure(f"{type(error).__name__}: {self.strike(str(error))}")
        raise failure


class SealedConnection:
    """A connection whose errors hold no secret."""

    def __init__(self, connection: Connection, secrets: Secrets) -> None:
        self._connection = connection
        self._secrets = secrets

    def set_password(self, username: str, password: str, *, all_hosts: bool = False) -> None:
        """See Connection."""
        self._secrets.add(password)
        change = self._connection.set_password
        self._secrets.guard(change, username, password, all_hosts=all_hosts)

    def check_own_password(self, *, all_hosts: bool) -> None:
        """See Connection."""
        self._secrets.guard(self._connection.check_own_password, all_hosts=all_hosts)

    def provide_peer(self, change: PeerChange) -> None:
        """See Connection."""
        self._secrets.add(change.password)
        self._secrets.guard(self._connection.provide_peer, change)

    @contextmanager
    def alone(self, username: str) -> Iterator[None]:
        """See Connection. What the block itself raises passes as it is."""
        lock = self._connection.alone(username)
        self._secrets.guard(lock.__enter__)
        try:
            yield
        finally:
            self._secrets.guard(lock.__exit__, None, None, None)

    def check_two_passwords(self, username: str, *, all_hosts: bool) -> None:
        """See Connection."""
        self._secrets.guard(self._connection.check_two_passwords, username, all_hosts=all_hosts)

    def set_two_passwords(self, change: TwoPasswords) -> None:
        """See Connection."""
        self._secrets.add(change.current)
        self._secrets.add(change.pending)
        self._secrets.guard(self._connection.set_two_passwords, change)

    def retire(self, change: OnePassword) -> None:
        """See Connection."""
        self._secrets.add(change.password)
        self._secrets.guard(self._connection.retire, change)

    def check_identity(self, username: str, acts_as: str) -> None:
        """See Connection."""
        self._secrets.guard(self._connection.check_identity, username, acts_as)

    def close(self) -> None:
        """See Connection."""
        self._secrets.guard(self._connection.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Sealed:
    """An engine whose errors hold no secret."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def name(self) -> str:
        """See Engine."""
        return self._engine.name

    @property
    def names(self) -> frozenset[str]:
        """See Engine."""
        return self._engine.names

    @property
    def strategies(self) -> frozenset[Strategy]:
        """See Engine."""
        return self._engine.strategies

    @property
    def clone_suffix(self) -> str:
        """See Engine."""
        return self._engine.clone_suffix

    @property
    def max_username_bytes(self) -> int:
        """See Engine."""
        return self._engine.max_username_bytes

    @property
    def default_port(self) -> int:
        """See Engine."""
        return self._engine.default_port

    @property
    def superuser_opens_database(self) -> bool:
        """See Engine."""
        return self._engine.superuser_opens_database

    def connect(self, credential: Credential, deadline: Deadline) -> SealedConnection:
        """See Engine."""
        secrets = Secrets(credential.password)
        return SealedConnection(secrets.guard(self._engine.connect, credential, deadline), secrets)
