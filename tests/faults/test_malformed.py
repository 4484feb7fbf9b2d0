"""Malformed events and secret values, made up by the thousand: a typed error, and no change.

What parses is left out: it is not malformed. At the end stands how many were met.
"""

import copy
import json
import os
from collections import Counter
from dataclasses import dataclass
from typing import Any
from unittest.mock import MagicMock

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rekey.credential import Credential
from rekey.engines.mysql import MysqlEngine
from rekey.engines.postgresql import PostgresqlEngine
from rekey.errors import InvalidEvent, InvalidSecretValue, RekeyError
from rekey.model import (
    Circumstances,
    Deadline,
    Happened,
    Label,
    RotationRequest,
    Step,
    StepResult,
    Strategy,
    WorkflowStep,
)
from rekey.ports import Connection, Engine
from rekey.request import parse_request
from tests.secret_store import SecretStoreInMemory
from tests.world import ARN, SUPERUSER_ARN, new_token, run_step

CANARY = "canary-7f3a-never-show-this"
EXAMPLES = int(os.environ.get("REKEY_EXAMPLES", "300"))
"""Of each kind; `make prove` makes up 5,000."""

THOUSANDS = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
MET: Counter[str] = Counter()
"""How many malformed things were met, by what they were."""

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(CANARY)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5
)
GOOD_EVENT = {
    "SecretId": ARN,
    "ClientRequestToken": new_token(),
    "VersionId": new_token(),
    "RotationToken": new_token(),
    "Happened": Happened.BY_HAND,
    "LastLook": False,
    "ByPerson": False,
    "Refused": "",
    "Failures": 1,
    "Retries": 1,
}
EVENT_KEYS = ["Step", *GOOD_EVENT]
SPOILT = st.builds(
    lambda step, bad: {"Step": step, **GOOD_EVENT, **bad},
    st.sampled_from([*Step, *WorkflowStep]),
    st.dictionaries(st.sampled_from(EVENT_KEYS), JSON, min_size=1, max_size=2),
)
EVENTS = JSON | st.dictionaries(st.sampled_from(EVENT_KEYS), JSON) | SPOILT

GOOD = {
    "engine": "postgres",
    "host": "db.example.com",
    "username": "app",
    "password": CANARY,
    "masterarn": SUPERUSER_ARN,
}
KEYS = [*GOOD, "port", "dbname", "ssl"]


def _is_malformed(value: str) -> bool:
    try:
        Credential.parse(value, what="it")
    except InvalidSecretValue:
        return True
    return False


MALFORMED = (
    st.text()
    | JSON.map(json.dumps)
    | st.dictionaries(st.sampled_from(KEYS), JSON, min_size=1).map(
        lambda bad: json.dumps({**GOOD, **bad})
    )
    | st.sampled_from(KEYS[:4]).map(lambda key: json.dumps({k: GOOD[k] for k in GOOD if k != key}))
).filter(_is_malformed)


def _lets_in() -> Any:
    """A server that takes every login, and that nobody may change."""
    connection = MagicMock(name="connection")
    connection.__enter__.return_value = connection
    return connection


@dataclass
class Anybody:
    """An engine whose server takes every login."""

    real: Engine
    connection: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def connect(self, credential: Credential, deadline: Deadline) -> Connection:
        """Nobody may get here with a value that is no credential."""
        assert not _is_malformed(json.dumps(dict(credential.document)))
        del deadline
        connection: Connection = self.connection
        return connection


ENGINES: list[Engine] = [PostgresqlEngine(), MysqlEngine()]
READERS: dict[str, list[Step | WorkflowStep]] = {
    "AWSCURRENT": [
        *(Step.CREATE, Step.SET, WorkflowStep.VERIFY, WorkflowStep.CHECK),
        *(WorkflowStep.RESTORE, WorkflowStep.ROLL_FORWARD, WorkflowStep.RETIRE),
    ],
    "AWSPENDING": [Step.SET, Step.TEST, WorkflowStep.ROLL_FORWARD, WorkflowStep.ROLL_BACK],
    "the superuser": [
        *(Step.SET, WorkflowStep.CHECK, WorkflowStep.RESTORE, WorkflowStep.RETIRE),
    ],
}
"""The steps that cannot go on without the value."""

OF_CURRENT = {WorkflowStep.VERIFY, WorkflowStep.CHECK, WorkflowStep.RESTORE, WorkflowStep.RETIRE}
"""Steps about a version that is AWSCURRENT; no rotation is under way then."""

TELLERS: list[Step | WorkflowStep] = [WorkflowStep.DIAGNOSE, WorkflowStep.SURVEY]
"""They tell what is wrong, and fail at nothing."""


class Scene:
    """A secret and its superuser's, one of whose values is malformed; a step that reads it."""

    def __init__(
        self, where: str, malformed: str, step: Step | WorkflowStep, engine: Engine
    ) -> None:
        good = json.dumps({**GOOD, "engine": min(engine.names)})
        dual = step is WorkflowStep.RETIRE
        self.store, self.pending = SecretStoreInMemory(), new_token()
        self.store.create(ARN, malformed if where == "AWSCURRENT" else good)
        superuser = json.dumps({**json.loads(good), "username": "admin"})
        self.store.create(SUPERUSER_ARN, malformed if where == "the superuser" else superuser)
        secret = self.store.secrets[ARN]
        if step not in OF_CURRENT and step is not Step.CREATE:
            value = malformed if where == "AWSPENDING" else _follows(good, engine)
            secret.values[self.pending] = value
            secret.written.append(self.pending)
            secret.labels[self.pending] = {Label.INTENT, Label.ALTERNATING_USERS}
        if step not in OF_CURRENT:
            self.store.start_rotation(ARN, self.pending)
        if dual:
            secret.labels["v1"] |= {Label.INTENT, Label.DUAL_PASSWORD}
        self.step, self.connection = step, _lets_in()
        self.engine = Anybody(engine, self.connection)
        self.before = copy.deepcopy(self.store.secrets)

    def run(self) -> StepResult | RekeyError:
        """What came of it."""
        request = RotationRequest(
            self.step,
            ARN,
            "v1" if self.step in OF_CURRENT else self.pending,
            circumstances=Circumstances(by_person=True),
        )
        try:
            return run_step(request, self.store, self.engine, 1)
        except RekeyError as error:
            return error

    def check_unchanged(self) -> None:
        """Neither values nor labels nor tags, nor anything on the server."""
        assert self.store.secrets == self.before
        changes = ("set_password", "provide_peer", "set_two_passwords", "retire")
        for change in changes:
            getattr(self.connection, change).assert_not_called()


def _follows(good: str, engine: Engine) -> str:
    """The value that alternating users come to have next."""
    document = json.loads(good)
    return json.dumps({**document, "username": document["username"] + engine.clone_suffix})


def _texts(outcome: StepResult | BaseException | None) -> str:
    """All that it says, and what it came of."""
    if not isinstance(outcome, BaseException):
        return repr(outcome)
    return f"{outcome} {outcome!r} {_texts(outcome.__context__)} {_texts(outcome.__cause__)}"


@THOUSANDS
@given(EVENTS)
def test_a_malformed_event_is_a_typed_error_that_repeats_nothing(event: Any) -> None:
    failure = None
    try:
        parse_request(event)
    except RekeyError as error:
        failure = error
    assume(failure is not None)
    assert type(failure) is InvalidEvent
    assert CANARY not in _texts(failure)
    MET["events"] += 1


@pytest.mark.parametrize("where", READERS)
def test_a_malformed_value_is_a_typed_error_and_changes_nothing(where: str) -> None:
    @settings(THOUSANDS, max_examples=EXAMPLES // len(READERS) + 1)
    @given(MALFORMED, st.sampled_from(READERS[where]), st.sampled_from(ENGINES))
    def meet(malformed: str, step: Step | WorkflowStep, engine: Engine) -> None:
        assume(where != "the superuser" or _has_no_superuser_in(malformed))
        assume(step is not WorkflowStep.RETIRE or Strategy.DUAL_PASSWORD in engine.strategies)
        scene = Scene(where, malformed, step, engine)
        outcome = scene.run()
        scene.check_unchanged()
        assert type(outcome) is InvalidSecretValue, f"{step}: {outcome!r}"
        assert CANARY not in _texts(outcome)
        MET[where] += 1

    meet()


def _has_no_superuser_in(malformed: str) -> bool:
    """The superuser connects to the application's database or to none, never to its own."""
    try:
        document = json.loads(malformed)
    except (ValueError, RecursionError):
        return True
    return not isinstance(document, dict) or _is_malformed(json.dumps({**document, "dbname": ""}))


@THOUSANDS
@given(
    MALFORMED, st.sampled_from(list(READERS)), st.sampled_from(TELLERS), st.sampled_from(ENGINES)
)
def test_who_tells_of_a_malformed_value_changes_nothing_and_repeats_nothing(
    malformed: str, where: str, step: Step | WorkflowStep, engine: Engine
) -> None:
    scene = Scene(where, malformed, step, engine)
    outcome = scene.run()
    scene.check_unchanged()
    assert isinstance(outcome, StepResult), outcome
    assert CANARY not in _texts(outcome)
    MET["told of"] += 1


def test_that_many_were_malformed(capsys: pytest.CaptureFixture[str]) -> None:
    """The tests above count what they met; those that were asked for alone count less."""
    with capsys.disabled():
        print(
            f"\nmalformed: {', '.join(f'{what} {n}' for what, n in MET.items())}, in all", end=" "
        )
        print(MET.total())
    if {"events", *READERS} <= MET.keys():
        values = sum(MET[where] for where in READERS)
        assert min(MET["events"], values) >= EXAMPLES


@pytest.mark.parametrize("value", ["9" * 5_000, '{"a":' * 3_000, "\ufeff{}", '{"a": NaN}', "[[]]"])
def test_json_that_stretches_the_decoder_is_a_typed_error(value: str) -> None:
    with pytest.raises(RekeyError):
        Credential.parse(value, what="AWSCURRENT")
