"""A secret with the strategy dual-password, and whether AWSCURRENT logs in all the while."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from rekey.credential import Credential
from rekey.model import (
    Deadline,
    Label,
    SecretMetadata,
    SecretVersion,
    Step,
    StepResult,
    WorkflowStep,
)
from rekey.ports import Connection, Engine, OnePassword, TwoPasswords
from tests.database import new_password
from tests.secret_store import SecretStoreInMemory
from tests.world import ARN, World

STRATEGY_TAG = "rekey:strategy"


class WatchedStore(SecretStoreInMemory):
    """Calls ``watch`` after every call: between any two of them, AWSCURRENT must log in."""

    def __init__(self) -> None:
        super().__init__()
        self.watch: Callable[[], None] = lambda: None

    def describe(self, secret_id: str) -> SecretMetadata:
        answer = super().describe(secret_id)
        self.watch()
        return answer

    def get_version(
        self, secret_id: str, version_id: str, label: Label | None = None
    ) -> SecretVersion | None:
        answer = super().get_version(secret_id, version_id, label)
        self.watch()
        return answer

    def move_label(
        self, secret_id: str, label: Label, *, to: str | None, removed_from: str | None
    ) -> None:
        super().move_label(secret_id, label, to=to, removed_from=removed_from)
        self.watch()


@dataclass
class DualWorld:
    """What a test does with a world whose secret has the tag for dual-password."""

    world: World
    refusals: list[str] = field(default_factory=list)
    samples: int = 0

    def __post_init__(self) -> None:
        self.world.secret.tags[STRATEGY_TAG] = "dual-password"

    @property
    def user(self) -> str:
        return self.world.server.base

    @property
    def tags(self) -> dict[str, str]:
        return self.world.secret.tags

    def version(self, label: Label) -> str:
        return self.world.secret.holder(label) or ""

    def password(self, version: str) -> str:
        return str(json.loads(self.world.secret.values[version] or "")["password"])

    def works(self, password: str) -> bool:
        return self.world.server.logs_in(self.user, password)

    def alive(self, *versions: str) -> list[bool]:
        return [self.works(self.password(version)) for version in versions]

    def run(self, token: str, *steps: Step) -> None:
        for step in steps:
            self.world.step(step, token)

    def retire(self, version: str | None = None) -> StepResult:
        return self.world.step(WorkflowStep.RETIRE, version or self.version(Label.CURRENT))

    def roll_back(self) -> None:
        """As an operator does it: rule the version out, then move the label back."""
        secret = self.world.secret
        rejected, former = self.version(Label.CURRENT), self.version(Label.PREVIOUS)
        secret.move(Label.REJECTED, rejected)
        secret.move(Label.CURRENT, former)

    def change_by_hand(self, password: str, *, besides: str | None = None) -> None:
        """Give the user this password, whatever the secret says, and no other or one other."""
        with self.world.server.superuser() as superuser, superuser.alone(self.user):
            if besides is None:
                superuser.retire(OnePassword(self.user, password))
            else:
                superuser.set_two_passwords(TwoPasswords(self.user, besides, password))

    def sample(self) -> None:
        """Log in with AWSCURRENT; a refusal counts if the version still is AWSCURRENT then."""
        version = self.version(Label.CURRENT)
        works = self.works(self.password(version))
        if not works and self.version(Label.CURRENT) == version:
            self.refusals.append(version)
        self.samples += 1

    @contextmanager
    def sampled(self) -> Iterator[None]:
        """AWSCURRENT logs in between any two calls, and in a thread beside them."""
        over = threading.Event()

        def beside() -> None:
            while not over.is_set():
                self.sample()

        thread = threading.Thread(target=beside)
        store: Any = self.world.store
        store.watch = self.sample
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            store.watch = lambda: None
        assert self.refusals == []
        assert self.samples > 0


class Noted:
    """A connection that notes what is done about two passwords, and under which lock."""

    def __init__(self, connection: Connection, notes: list[str]) -> None:
        self._connection = connection
        self._notes = notes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @contextmanager
    def alone(self, username: str) -> Iterator[None]:
        with self._connection.alone(username):
            self._notes.append(f"alone with {username}")
            yield
            self._notes.append("no longer alone")

    def check_two_passwords(self, username: str, *, all_hosts: bool) -> None:
        self._notes.append(f"check {all_hosts}")
        self._connection.check_two_passwords(username, all_hosts=all_hosts)

    def set_two_passwords(self, change: TwoPasswords) -> None:
        self._notes.append(f"set {change.all_hosts}")
        self._connection.set_two_passwords(change)

    def retire(self, change: OnePassword) -> None:
        self._notes.append(f"retire {change.all_hosts}")
        self._connection.retire(change)


@dataclass
class NotedWorld(World):
    """A world that notes what is done about two passwords."""

    notes: list[str] = field(default_factory=list)

    @property
    def engine(self) -> Engine:
        engine = super().engine
        connect = engine.connect

        def noted(credential: Credential, deadline: Deadline) -> Any:
            return Noted(connect(credential, deadline), self.notes)

        vars(engine)["connect"] = noted
        return engine


def next_generation(dual: DualWorld) -> str:
    return dual.world.rotate()


def half_an_attempt(dual: DualWorld, last: Step) -> str:
    """A rotation that was cut off after ``last``, and given up; its token."""
    token = dual.world.start()
    dual.run(token, *list(Step)[: list(Step).index(last) + 1])
    dual.world.store.end_rotation(ARN)
    return token


def foreign_besides_current(dual: DualWorld) -> None:
    """Somebody gave the user a password of theirs, and kept AWSCURRENT's as the second one."""
    current = dual.password(dual.version(Label.CURRENT))
    dual.change_by_hand(new_password(), besides=current)
