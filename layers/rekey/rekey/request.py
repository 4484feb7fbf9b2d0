"""Read the event that Secrets Manager or one of our state machines sends."""

from collections.abc import Mapping
from typing import Any

from rekey.errors import InvalidEvent
from rekey.model import Circumstances, Happened, Label, RotationRequest, Step, WorkflowStep

TOKEN_CHARACTERS = range(32, 65)
"""Length of a client request token (Secrets Manager API, RotateSecret)."""

ROTATION_TOKEN_CHARACTERS = range(36, 257)
"""Length of a rotation token (Secrets Manager API, PutSecretValue)."""


def parse_request(event: object) -> RotationRequest:
    """Return the request in ``event``. Raises InvalidEvent, which repeats no value of it."""
    if not isinstance(event, Mapping):
        raise InvalidEvent("The event is not a JSON object. Invoke by RotateSecret.")
    step = _step(event)
    if isinstance(step, WorkflowStep):
        token = _version(event, step)
        return RotationRequest(step, _arn(event), token, circumstances=_circumstances(event))
    return RotationRequest(
        step=step,
        secret_arn=_arn(event),
        token=_token(event, "ClientRequestToken", TOKEN_CHARACTERS),
        rotation_token=(
            None
            if event.get("RotationToken") is None
            else _token(event, "RotationToken", ROTATION_TOKEN_CHARACTERS)
        ),
    )


def _version(event: Mapping[str, Any], step: WorkflowStep) -> str:
    """A secret without AWSCURRENT has no version that a diagnosis could be about."""
    if step is WorkflowStep.DIAGNOSE and event.get("VersionId") == "":
        return ""
    return _token(event, "VersionId", TOKEN_CHARACTERS)


def _step(event: Mapping[str, Any]) -> Step | WorkflowStep:
    name = event.get("Step")
    if isinstance(name, str) and name in set(Step):
        return Step(name)
    if isinstance(name, str) and name in set(WorkflowStep):
        return WorkflowStep(name)
    raise InvalidEvent(f"Step must be one of {', '.join([*Step, *WorkflowStep])}.")


def _circumstances(event: Mapping[str, Any]) -> Circumstances:
    return Circumstances(
        happened=_happened(event.get("Happened", Happened.BY_HAND)),
        last_look=_flag(event, "LastLook"),
        by_person=_flag(event, "ByPerson"),
        refused=_refused(event.get("Refused", "")),
        repeated=_flag(event, "Repeated"),
        failures=_count(event, "Failures", Circumstances.failures),
        retries=_count(event, "Retries", Circumstances.retries),
    )


def _happened(name: object) -> Happened:
    if isinstance(name, str) and name in set(Happened):
        return Happened(name)
    raise InvalidEvent(f"Happened must be one of {', '.join(Happened)}.")


def _refused(names: object) -> frozenset[Label]:
    labels = {str(label): label for label in (Label.CURRENT, Label.PREVIOUS)}
    if isinstance(names, str) and set(names.split()) <= set(labels):
        return frozenset(labels[name] for name in names.split())
    raise InvalidEvent(f"Refused must name some of {', '.join(labels)}, with blanks between them.")


def _flag(event: Mapping[str, Any], key: str) -> bool:
    value = event.get(key, False)
    if isinstance(value, bool):
        return value
    raise InvalidEvent(f"{key} must be true or false.")


def _count(event: Mapping[str, Any], key: str, default: int) -> int:
    value = event.get(key, default)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise InvalidEvent(f"{key} must be a number that is not negative.")


def _arn(event: Mapping[str, Any]) -> str:
    arn = event.get("SecretId")
    if isinstance(arn, str) and arn.startswith("arn:") and ":secretsmanager:" in arn:
        return arn
    raise InvalidEvent("SecretId must be the ARN of a secret.")


def _token(event: Mapping[str, Any], key: str, length: range) -> str:
    token = event.get(key)
    if isinstance(token, str) and len(token) in length:
        return token
    raise InvalidEvent(f"{key} must be a string of {length.start} to {length.stop - 1} characters.")
