"""What CloudTrail is told about a rotation, and when."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import until
from .rotated import Rotated


def test_a_success_is_told_after_it_is_complete(rotated: Callable[..., Rotated]) -> None:
    secret = rotated()
    token = secret.rotate()
    until(lambda: secret.events() == ["RotationStarted", "RotationSucceeded"])
    assert secret.is_at_rest_with(token)


def test_a_failure_is_told_once_with_its_step_and_its_request(
    rotated: Callable[..., Rotated],
) -> None:
    secret = rotated(fail={"setSecret": 3})
    token = secret.rotate()
    until(lambda: secret.events() == ["RotationStarted", "RotationFailed"])
    failed = secret.account.service_events(secret.arn)[-1]
    assert failed["errorMessage"] == (
        f"Error when executing lambda {secret.function} during setSecret step"
    )
    assert failed["requestID"] == f"Rotation-{secret.arn}-{token}"


def test_an_abandoned_rotation_is_told_and_neither_success_nor_failure(
    rotated: Callable[..., Rotated],
) -> None:
    secret = rotated(wait=["setSecret"])
    secret.rotate()
    until(lambda: "setSecret" in secret.steps())
    secret.secrets.put_secret_value(SecretId=secret.name, SecretString="by hand")
    secret.go()
    until(secret.is_over)
    assert secret.events() == ["RotationStarted", "RotationAbandoned"]


@pytest.mark.parametrize(("times", "end"), [(0, "Succeeded"), (1, "Failed")])
def test_a_test_of_the_configuration_is_told(
    rotated: Callable[..., Rotated], times: int, end: str
) -> None:
    secret = rotated(fail={"testSecret": times})
    secret.rotate(RotateImmediately=False)
    until(lambda: secret.events() == ["TestRotationStarted", f"TestRotation{end}"])
    assert secret.stages() == {secret.first: ["AWSCURRENT"]}
