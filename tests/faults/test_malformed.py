"""Malformed events and secret values, made up by the thousand: a typed error, and no change."""

import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rekey import rotation
from rekey.aws.superusers import Superusers
from rekey.credential import Credential
from rekey.engines.mysql import MysqlEngine
from rekey.engines.postgresql import PostgresqlEngine
from rekey.errors import RekeyError
from rekey.model import Deadline, RotationRequest, Step, WorkflowStep
from rekey.passwords import PasswordRules
from rekey.ports import Connection, Engine
from rekey.request import parse_request
from tests.secret_store import SecretStoreInMemory
from tests.world import ARN, SUPERUSER_ARN, never_rds, new_token

CANARY = "canary-7f3a-never-show-this"
EXAMPLES = int(os.environ.get("REKEY_EXAMPLES", "300"))
"""Of each kind; `make prove` makes up 5,000."""

THOUSANDS = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(CANARY)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5
)
STEPS: list[Step | WorkflowStep] = [*Step, *WorkflowStep]
EVENT_KEYS = [
    *("Step", "SecretId", "ClientRequestToken", "RotationToken"),
    *("VersionId", "Happened", "LastLook", "Failures", "Extra"),
]
EVENTS = JSON | st.dictionaries(st.sampled_from(EVENT_KEYS), JSON | st.sampled_from(STEPS))

GOOD = {
    "engine": "postgres",
    "host": "db.example.com",
    "username": "app",
    "password": CANARY,
    "masterarn": SUPERUSER_ARN,
}
KEYS = [*GOOD, "port", "dbname", "ssl", "other"]
VALUES = (
    st.text()
    | JSON.map(json.dumps)
    | st.dictionaries(st.sampled_from(KEYS), JSON).map(lambda bad: json.dumps({**GOOD, **bad}))
    | st.sampled_from(["mysql", "mariadb"]).map(
        lambda engine: json.dumps({**GOOD, "engine": engine})
    )
    | st.sampled_from(KEYS).map(lambda key: json.dumps({k: GOOD[k] for k in GOOD if k != key}))
)


class NoPostgresql(PostgresqlEngine):
    """An engine that nobody may get to with a value that is no credential."""

    def connect(self, credential: Credential, deadline: Deadline) -> Connection:
        raise ConnectionError(f"{credential.username} before {deadline}")


class NoMysql(MysqlEngine):
    """The same for secrets of MySQL and MariaDB."""

    def connect(self, credential: Credential, deadline: Deadline) -> Connection:
        raise ConnectionError(f"{credential.username} before {deadline}")


UNREACHED: list[Engine] = [NoPostgresql(), NoMysql()]


@THOUSANDS
@given(EVENTS)
def test_a_malformed_event_is_a_typed_error_that_repeats_nothing(event: Any) -> None:
    failure = None
    try:
        parse_request(event)
    except RekeyError as error:
        failure = error
    assert CANARY not in str(failure)


@THOUSANDS
@given(VALUES, VALUES, st.sampled_from(STEPS), st.sampled_from(UNREACHED), st.booleans())
def test_a_malformed_value_is_a_typed_error_and_changes_nothing(
    current: str, superuser: str, step: Step | WorkflowStep, engine: Engine, pending: bool
) -> None:
    store, token = SecretStoreInMemory(), new_token()
    store.create(ARN, current)
    store.create(SUPERUSER_ARN, superuser)
    store.start_rotation(ARN, token)
    world = rotation.Rotation(
        RotationRequest(step, ARN, token if pending or step in list(Step) else "v1"),
        store,
        Superusers(store, never_rds),  # type: ignore[arg-type]  # it only raises
        engine,
        PasswordRules().generate,
        Deadline.after(1),
        lambda _: None,
    )
    failure: Exception | None = None
    answer: object = None
    try:
        answer = rotation.run(world)
    except (RekeyError, ConnectionError) as error:
        failure = error
    if failure is None and step is Step.CREATE:
        Credential.parse(store.secrets[ARN].values[token] or "", what="AWSPENDING")
        return
    told = failure.__context__ if failure else answer
    assert CANARY not in f"{failure} {told!r}"
    assert failure is not None or step in list(WorkflowStep)
    assert store.secrets[ARN].values == {"v1": current, token: None}


@pytest.mark.parametrize("value", ["9" * 5_000, '{"a":' * 3_000, "\ufeff{}", '{"a": NaN}', "[[]]"])
def test_json_that_stretches_the_decoder_is_a_typed_error(value: str) -> None:
    with pytest.raises(RekeyError):
        Credential.parse(value, what="AWSCURRENT")
