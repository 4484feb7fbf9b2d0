"""Somebody changes the password by hand and stores it, in the moment before our statement."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from rekey import errors
from rekey.credential import Credential
from rekey.model import (
    Deadline,
    Label,
    Outcome,
    SecretMetadata,
    SecretVersion,
    Step,
    WorkflowStep,
)
from rekey.ports import Connection, Engine, OnePassword, TwoPasswords
from tests.database import Server, new_password
from tests.integration.rotation.two_passwords import DualWorld, Noted
from tests.secret_store import SecretStoreInMemory
from tests.world import ARN, SUPERUSER_ARN, World


class Late(Noted):
    """A connection whose statements come after something else."""

    def __init__(self, connection: Connection, first: Callable[[], None]) -> None:
        super().__init__(connection, [])
        self._first = first

    def set_two_passwords(self, change: TwoPasswords) -> None:
        self._first()
        super().set_two_passwords(change)

    def retire(self, change: OnePassword) -> None:
        self._first()
        super().retire(change)


@dataclass
class OvertakenWorld(World):
    """A world in which a person is faster, once."""

    by_hand: str = ""
    """The version that they make."""
    host: str = ""
    """If they store another one with it."""

    @property
    def engine(self) -> Engine:
        engine = super().engine
        connect = engine.connect

        def late(credential: Credential, deadline: Deadline) -> Any:
            return Late(connect(credential, deadline), self.change_by_hand)

        vars(engine)["connect"] = late
        return engine

    def change_by_hand(self) -> None:
        if self.by_hand:
            return
        user, password = self.server.base, new_password()
        self.server.change_password(user, password)
        keys = {"masterarn": SUPERUSER_ARN, **({"host": self.host} if self.host else {})}
        self.by_hand = self.secret.put_by_hand(self.document(user, password, **keys))


class Forgetful(SecretStoreInMemory):
    """From the third look at the labels on, it shows an AWSCURRENT from before."""

    former: str = ""
    looks: int = 0

    def describe(self, secret_id: str) -> SecretMetadata:
        now = super().describe(secret_id)
        self.looks += 1
        if not self._forgets:
            return now
        others = {version: held - {Label.CURRENT} for version, held in now.labels.items()}
        return replace(now, labels={**others, self.former: frozenset({Label.CURRENT})})

    def get_labelled(self, secret_id: str, label: Label) -> SecretVersion:
        old = self.get_version(secret_id, self.former) if self._forgets else None
        return old or super().get_labelled(secret_id, label)

    @property
    def _forgets(self) -> bool:
        return bool(self.former) and self.looks > 2


@pytest.fixture
def overtaken(dual_server: Server) -> OvertakenWorld:
    world = OvertakenWorld(dual_server, alternating=True, by_hand="nobody yet")
    DualWorld(world).world.rotate()
    world.by_hand = ""
    return world


def test_a_password_that_became_current_while_it_was_taken_away_is_given_back(
    overtaken: OvertakenWorld,
) -> None:
    token = overtaken.start()
    overtaken.step(Step.CREATE, token)
    with pytest.raises(errors.LabelMoved, match="given back"):
        overtaken.step(Step.SET, token)
    assert overtaken.secret.holder(Label.CURRENT) == overtaken.by_hand
    assert overtaken.logs_in(Label.CURRENT)
    assert not overtaken.logs_in(Label.INTENT)


def test_so_it_is_when_a_password_is_retired(overtaken: OvertakenWorld) -> None:
    version = overtaken.secret.holder(Label.CURRENT) or ""
    with pytest.raises(errors.LabelMoved, match="given back"):
        overtaken.step(WorkflowStep.RETIRE, version)
    assert overtaken.step(WorkflowStep.RETIRE, version).outcome is Outcome.SUPERSEDED
    assert overtaken.secret.holder(Label.CURRENT) == overtaken.by_hand
    assert overtaken.logs_in(Label.CURRENT)


def test_so_it_is_when_the_strategy_changes(overtaken: OvertakenWorld) -> None:
    overtaken.secret.tags["rekey:strategy"] = "single-user"
    token = overtaken.start()
    overtaken.step(Step.CREATE, token)
    with pytest.raises(errors.LabelMoved, match="given back"):
        overtaken.step(Step.SET, token)
    assert overtaken.logs_in(Label.CURRENT)
    overtaken.store.end_rotation(ARN)
    overtaken.rotate()
    assert overtaken.settled()


def test_a_value_for_another_server_is_given_nothing(overtaken: OvertakenWorld) -> None:
    overtaken.host = "elsewhere.example.com"
    before = overtaken.credential(Label.CURRENT)
    token = overtaken.start()
    overtaken.step(Step.CREATE, token)
    with pytest.raises(errors.LabelMoved):
        overtaken.step(Step.SET, token)
    assert before is not None
    assert overtaken.server.logs_in(before.username, before.password)


def test_an_old_answer_takes_no_password_away(dual_server: Server) -> None:
    """Reads are eventually consistent: an old AWSCURRENT may show after the new one did."""
    store = Forgetful()
    dual = DualWorld(World(dual_server, alternating=True, store=store))
    former, version = "v1", dual.world.rotate()
    store.former, store.looks = former, 0
    with pytest.raises(errors.LabelMoved):
        dual.retire()
    assert dual.alive(former, version) == [True, True]
    store.former = ""
    assert dual.retire().outcome is Outcome.RETIRED
    assert dual.alive(former, version) == [False, True]
