"""What a rotation step reports, and how its errors leave the function."""

import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from rekey.aws.invocation import MARGIN_SECONDS, rotation_handler
from rekey.errors import DatabaseUnreachable, InvalidEvent, RekeyError, UnexpectedFailure
from rekey.model import Deadline, Outcome, RotationRequest, StepResult, Strategy

EVENT = {
    "Step": "setSecret",
    "SecretId": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app-AbCdEf",
    "ClientRequestToken": "t" * 36,
    "RotationToken": "rotation-token-canary" * 2,
}
CANARY = "canary-c0ffee"
RESULT = StepResult(Outcome.DONE, "The user has the new password.", Strategy.SINGLE_USER)
Step = Callable[[RotationRequest, Deadline], StepResult]


class Context(LambdaContext):
    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 30_000


@pytest.fixture(autouse=True)
def logger_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A logger keeps the standard output that it found when it was first made."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", secrets.token_hex(8))


def invoke(step: Step, event: object = EVENT) -> dict[str, str] | None:
    return rotation_handler("postgresql", step)(event, Context())


def failing(error: Exception) -> Step:
    def step(*_: object) -> StepResult:
        raise error

    return step


def lines(capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The structured log line and the metrics in CloudWatch's embedded format."""
    log, metrics = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    return log, metrics


def test_a_step_writes_one_line_and_its_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    invoke(lambda *_: RESULT)
    log, metrics = lines(capsys)
    told = {key: log[key] for key in ("secret_arn", "version_id", "step", "strategy", "engine")}
    assert told == {
        "secret_arn": EVENT["SecretId"],
        "version_id": EVENT["ClientRequestToken"],
        "step": "setSecret",
        "strategy": "single-user",
        "engine": "postgresql",
    }
    assert (log["level"], log["outcome"]) == ("INFO", "done")
    (directive,) = metrics["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Rekey"
    assert set(directive["Dimensions"][0]) >= {"engine", "step", "outcome"}
    assert EVENT["SecretId"] not in json.dumps(metrics)


def test_secrets_manager_gets_no_answer_and_a_state_machine_the_outcome() -> None:
    event = {"Step": "retire", "SecretId": EVENT["SecretId"], "VersionId": "v" * 36}
    held = StepResult(Outcome.HELD, "The tag rekey:hold is set.")
    assert invoke(lambda *_: RESULT) is None
    assert invoke(lambda *_: held, event) == {
        "outcome": "held",
        "reason": "The tag rekey:hold is set.",
    }


def test_an_error_of_ours_is_told_by_its_class_and_raised_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = DatabaseUnreachable("db:5432 cannot be reached.")
    with pytest.raises(DatabaseUnreachable) as raised:
        invoke(failing(error))
    log, metrics = lines(capsys)
    assert raised.value is error
    assert (log["level"], log["outcome"]) == ("ERROR", "DatabaseUnreachable")
    assert log["reason"] == "db:5432 cannot be reached."
    assert metrics["outcome"] == "DatabaseUnreachable"


@pytest.mark.parametrize("kind", [ValueError, KeyError, RuntimeError])
def test_a_defect_shows_its_type_and_place_and_nothing_of_its_text(
    kind: type[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(
        UnexpectedFailure, match=rf"{kind.__name__} at test_invocation\.py:"
    ) as raised:
        invoke(failing(kind(CANARY)))
    assert CANARY not in capsys.readouterr().out
    assert raised.value.__context__ is None


@pytest.mark.parametrize("event", [None, {"Step": CANARY}, {**EVENT, "SecretId": CANARY}])
def test_a_wrong_event_is_typed_and_not_repeated(
    event: object, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidEvent):
        invoke(lambda *_: RESULT, event)
    assert CANARY not in capsys.readouterr().out


def test_a_rotation_token_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    invoke(lambda *_: RESULT)
    with pytest.raises(RekeyError):
        invoke(failing(ValueError("x")))
    assert "rotation-token-canary" not in capsys.readouterr().out


def test_the_deadline_leaves_time_to_report() -> None:
    left: list[float] = []

    def step(_: RotationRequest, deadline: Deadline) -> StepResult:
        left.append(deadline.at - time.monotonic())
        return RESULT

    invoke(step)
    assert 30 - MARGIN_SECONDS - 1 < left[0] <= 30 - MARGIN_SECONDS


def test_metrics_of_one_invocation_do_not_add_to_the_next(
    capsys: pytest.CaptureFixture[str],
) -> None:
    handler = rotation_handler("postgresql", lambda *_: RESULT)
    for _ in range(2):
        handler(EVENT, Context())
        assert lines(capsys)[1]["Steps"] == [1.0]
