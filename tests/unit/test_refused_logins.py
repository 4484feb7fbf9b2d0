"""Refused logins of two invocations at once, and after a read that comes late."""

import copy
from collections.abc import Callable

import pytest

from rekey.credential import Credential
from rekey.engines.postgresql import PostgresqlEngine
from rekey.errors import CredentialsRejected, LabelMoved, RekeyError
from rekey.model import Deadline, Label, RotationRequest, SecretMetadata, SecretVersion, Step
from rekey.ports import Connection
from tests.secret_store import SecretStoreInMemory
from tests.world import ARN, new_token, run_step

VALUE = '{"engine": "postgres", "host": "db", "username": "app", "password": "the former one"}'


class _Killed(BaseException):
    pass


def _kill() -> None:
    raise _Killed


class Refuses(PostgresqlEngine):
    """A server that has another password than any version of the secret."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = 0
        self.meanwhile: dict[int, Callable[[], None]] = {}
        """What happens while the login is under way, by how many were refused before."""

    def connect(self, credential: Credential, deadline: Deadline) -> Connection:
        del credential, deadline
        self.meanwhile.pop(self.refused, lambda: None)()
        self.refused += 1
        raise CredentialsRejected("refused")


class LateReads(SecretStoreInMemory):
    """One read of a version sees it as it was before the last move of a label."""

    def __init__(self) -> None:
        super().__init__()
        self.late = False
        self.before = self.secrets
        self.meanwhile: Callable[[], None] = lambda: None

    def describe(self, secret_id: str) -> SecretMetadata:
        self.meanwhile()
        return super().describe(secret_id)

    def move_label(
        self, secret_id: str, label: Label, *, to: str | None, removed_from: str | None
    ) -> None:
        self.before = copy.deepcopy(self.secrets)
        super().move_label(secret_id, label, to=to, removed_from=removed_from)

    def get_version(
        self, secret_id: str, version_id: str, label: Label | None = None
    ) -> SecretVersion | None:
        now, late, self.late = self.secrets, self.late, False
        self.secrets = self.before if late else now
        try:
            return super().get_version(secret_id, version_id, label)
        finally:
            self.secrets = now


class Pending:
    """A rotation with a single user, whose setSecret comes next."""

    def __init__(self) -> None:
        self.store, self.engine, self.token = LateReads(), Refuses(), new_token()
        self.store.create(ARN, VALUE)
        self.store.start_rotation(ARN, self.token)
        self.step(Step.CREATE)

    def step(self, step: Step) -> type[RekeyError] | None:
        """What it raised."""
        try:
            run_step(RotationRequest(step, ARN, self.token), self.store, self.engine, 5)
        except RekeyError as error:
            return type(error)
        return None

    def set(self) -> type[RekeyError] | None:
        return self.step(Step.SET)

    def also_set(self) -> None:
        self.set()


@pytest.fixture
def pending() -> Pending:
    return Pending()


@pytest.mark.parametrize("login", [0, 1])
def test_two_invocations_at_once_are_refused_three_logins_at_most(
    pending: Pending, login: int
) -> None:
    """The second runs whole while that login of the first one is under way."""
    pending.engine.meanwhile[login] = pending.also_set
    for _ in range(4):
        pending.set()
    assert pending.engine.refused == 3


def test_one_that_comes_between_two_logins_is_seen_before_the_second(pending: Pending) -> None:
    """The first has counted its refusal; the other one uses up what is left."""
    reads = ["the one that counts", "the one before the next login"]

    def meanwhile() -> None:
        if reads and reads.pop(0) == "the one before the next login":
            pending.set()

    pending.store.meanwhile = meanwhile
    pending.set()
    assert pending.engine.refused == 2


def test_a_late_read_does_not_make_a_third_one_possible(pending: Pending) -> None:
    pending.set()
    assert pending.engine.refused == 2
    pending.store.late = True
    pending.set()
    assert pending.engine.refused == 2


def test_the_same_login_refused_twice_at_once_leaves_the_other_password_its_try(
    pending: Pending,
) -> None:
    """The pending one may be what the server has by now: it must not be ruled out."""

    def killed_before_the_second_password() -> None:
        pending.engine.meanwhile[1] = _kill
        with pytest.raises(_Killed):
            pending.set()

    pending.engine.meanwhile[0] = killed_before_the_second_password
    assert pending.set() is LabelMoved
    assert pending.engine.refused == 2
    pending.set()
    assert pending.engine.refused == 3
