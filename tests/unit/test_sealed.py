"""No secret value leaves an engine, whatever it raises."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import pytest

from rekey.credential import Credential
from rekey.engines.postgresql import PostgresqlEngine
from rekey.engines.sealed import Sealed
from rekey.errors import EngineFailure, MissingPrivilege, RekeyError
from rekey.model import Deadline
from rekey.ports import OnePassword, PeerChange, TwoPasswords

OLD, NEW = "old-password-it's", "new-password-\\é"
CREDENTIAL = Credential.parse(
    json.dumps({"engine": "postgres", "host": "h", "username": "app", "password": OLD}),
    what="AWSCURRENT",
)


class LeakingConnection:
    """Raises errors that repeat whatever they were given."""

    def __init__(self, kind: type[Exception]) -> None:
        self._kind = kind

    def set_password(self, username: str, password: str, *, all_hosts: bool = False) -> None:
        del all_hosts
        quoted = password.replace("'", "''")
        encoded = base64.b64encode(password.encode()).decode()
        raise self._kind(f"{username}: {OLD} {password} {quoted} {password!r} {encoded}")

    def check_own_password(self, *, all_hosts: bool) -> None:
        self.set_password(f"{all_hosts}", OLD)

    def provide_peer(self, change: PeerChange) -> None:
        self.set_password(change.pending, change.password)

    @contextmanager
    def alone(self, username: str) -> Iterator[None]:
        self.set_password(username, OLD)
        yield

    def check_two_passwords(self, username: str, *, all_hosts: bool) -> None:
        self.set_password(f"{username} {all_hosts}", OLD)

    def set_two_passwords(self, change: TwoPasswords) -> None:
        self.set_password(change.username, change.pending)

    def retire(self, change: OnePassword) -> None:
        self.set_password(change.username, change.password)

    def check_identity(self, username: str, acts_as: str) -> None:
        self.set_password(username + acts_as, OLD)

    def close(self) -> None:
        """Nothing to end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing to end."""


class LeakingEngine(PostgresqlEngine):
    """Leaks at the login, or hands out a connection that leaks."""

    def leak(self, kind: type[Exception], *, at_login: bool) -> Sealed:
        vars(self).update(kind=kind, at_login=at_login)
        return Sealed(self)

    def connect(self, credential: Credential, deadline: Deadline) -> LeakingConnection:
        connection = LeakingConnection(vars(self)["kind"])
        if vars(self)["at_login"] or deadline.remaining() < 0:
            connection.set_password("app", credential.password)
        return connection


def use(engine: Sealed, call: str) -> None:
    connection = engine.connect(CREDENTIAL, Deadline.after(1))
    if call == "set_password":
        connection.set_password("app", NEW)
    if call == "check_own_password":
        connection.check_own_password(all_hosts=True)
    if call == "provide_peer":
        connection.provide_peer(PeerChange("app", "app_clone", "app", NEW))
    if call == "alone":
        with connection.alone("app"):
            pass
    if call == "check_two_passwords":
        connection.check_two_passwords("app", all_hosts=True)
    if call == "set_two_passwords":
        connection.set_two_passwords(TwoPasswords("app", OLD, NEW))
    if call == "retire":
        connection.retire(OnePassword("app", NEW))
    connection.check_identity("app", "app")


def raised_by(kind: type[Exception], call: str) -> RekeyError:
    engine = LeakingEngine().leak(kind, at_login=call == "connect")
    with pytest.raises(RekeyError) as raised:
        use(engine, call)
    return raised.value


CALLS = [
    "connect",
    "set_password",
    "check_own_password",
    "provide_peer",
    "alone",
    "check_two_passwords",
    "set_two_passwords",
    "retire",
    "check_identity",
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", [MissingPrivilege, ValueError, OSError, KeyError])
def test_secrets_are_struck_out_of_every_error(kind: type[Exception], call: str) -> None:
    error = raised_by(kind, call)
    assert type(error) is (kind if kind is MissingPrivilege else EngineFailure)
    for secret in (OLD, NEW):
        for form in (secret, secret.replace("'", "''"), repr(secret)[1:-1]):
            assert form not in str(error)
        assert base64.b64encode(secret.encode()).decode() not in str(error)
    assert "[secret]" in str(error)


@pytest.mark.parametrize("kind", [MissingPrivilege, ValueError])
def test_the_original_error_does_not_travel_along(kind: type[Exception]) -> None:
    error = raised_by(kind, "set_password")
    assert error.__context__ is None
    assert error.__cause__ is None


def test_a_text_with_a_secret_too_short_to_strike_out_is_withheld() -> None:
    engine = LeakingEngine().leak(ValueError, at_login=False)
    connection = engine.connect(CREDENTIAL, Deadline.after(1))
    with pytest.raises(EngineFailure, match="withheld") as raised:
        connection.set_password("app", "p")
    assert "app" not in str(raised.value)
