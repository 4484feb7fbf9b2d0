"""The event of a rotation function."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekey.errors import InvalidEvent
from rekey.model import Circumstances, Happened, Label, Step, WorkflowStep
from rekey.request import parse_request

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app-AbCdEf"
EVENT = {"Step": "setSecret", "SecretId": ARN, "ClientRequestToken": "t" * 36}
CANARY = "canary-9b0d"


def test_the_four_steps_are_understood() -> None:
    steps = [parse_request({**EVENT, "Step": step.value}).step for step in Step]
    assert steps == list(Step)


def test_a_rotation_token_is_kept_and_never_printed() -> None:
    request = parse_request({**EVENT, "RotationToken": "r" * 40})
    assert request.rotation_token == "r" * 40
    assert "r" * 40 not in repr(request)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Step", None),
        ("Step", "dropSecret"),
        ("Step", ["setSecret"]),
        ("SecretId", None),
        ("SecretId", "app"),
        ("SecretId", "arn:aws:s3:::bucket"),
        ("ClientRequestToken", None),
        ("ClientRequestToken", "t" * 31),
        ("ClientRequestToken", "t" * 65),
        ("ClientRequestToken", 7),
        ("RotationToken", "r" * 35),
        ("RotationToken", 7),
    ],
)
def test_a_wrong_value_is_named_by_its_key_and_not_repeated(key: str, value: Any) -> None:
    with pytest.raises(InvalidEvent, match=key):
        parse_request({**EVENT, key: value})


@pytest.mark.parametrize("event", [None, [], "text", 1])
def test_an_event_that_is_no_object_is_refused(event: object) -> None:
    with pytest.raises(InvalidEvent):
        parse_request(event)


def test_a_state_machine_names_the_version_that_was_promoted() -> None:
    event = {"Step": "retire", "SecretId": ARN, "VersionId": "v" * 36}
    request = parse_request(event)
    assert (request.step, request.token) == (WorkflowStep.RETIRE, "v" * 36)
    with pytest.raises(InvalidEvent, match="VersionId"):
        parse_request({**EVENT, "Step": "retire"})


DIAGNOSE = {"Step": "diagnose", "SecretId": ARN, "VersionId": "v" * 36}


def test_only_a_diagnosis_may_be_about_a_secret_that_has_no_version() -> None:
    assert parse_request({**DIAGNOSE, "VersionId": ""}).token == ""
    with pytest.raises(InvalidEvent, match="VersionId"):
        parse_request({**DIAGNOSE, "Step": "verify", "VersionId": ""})


def test_a_recovery_tells_the_circumstances() -> None:
    told = {"Happened": "setSecret failed", "LastLook": True, "Failures": 2, "Retries": 0}
    circumstances = parse_request(
        {**DIAGNOSE, **told, "Repeated": True, "Refused": "AWSPREVIOUS AWSCURRENT"}
    ).circumstances
    assert circumstances == Circumstances(
        Happened.SET_FAILED,
        last_look=True,
        repeated=True,
        failures=2,
        retries=0,
        refused=frozenset({Label.CURRENT, Label.PREVIOUS}),
    )
    assert parse_request(DIAGNOSE).circumstances == Circumstances()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Happened", "dropSecret failed"),
        ("Happened", None),
        ("LastLook", "true"),
        ("Refused", "AWSPENDING"),
        ("Refused", True),
        ("ByPerson", 1),
        ("Repeated", "no"),
        ("Failures", -1),
        ("Failures", True),
        ("Retries", "1"),
    ],
)
def test_a_wrong_circumstance_is_named_by_its_key(key: str, value: Any) -> None:
    with pytest.raises(InvalidEvent, match=key):
        parse_request({**DIAGNOSE, key: value})


@given(st.dictionaries(st.sampled_from(["Step", "SecretId", "ClientRequestToken"]), st.text()))
def test_no_error_repeats_a_value_of_the_event(event: dict[str, str]) -> None:
    with pytest.raises(InvalidEvent) as raised:
        parse_request({**{key: CANARY + value for key, value in event.items()}, "RotationToken": 1})
    assert CANARY not in str(raised.value)
