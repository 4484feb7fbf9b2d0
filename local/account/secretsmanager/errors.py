"""Errors of the Secrets Manager API, with the service's own codes and texts.

ServiceError              code and message, as they stand in the answer
├── NotFoundError         ResourceNotFoundException
├── ExistsError           ResourceExistsException
├── RequestError          InvalidRequestException
├── ParameterError        InvalidParameterException
├── LimitError            LimitExceededException
├── NextTokenError        InvalidNextTokenException
├── ValidationError       ValidationException
└── DeniedError           AccessDeniedException
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

Answer = tuple[int, dict[str, str], bytes]


class ServiceError(Exception):
    """Ends an operation with this answer, before anything has changed."""

    code: str
    # The service model names the member `Message`; errors outside the model say `message`.
    member = "Message"


class NotFoundError(ServiceError):
    code = "ResourceNotFoundException"


class ExistsError(ServiceError):
    code = "ResourceExistsException"


class RequestError(ServiceError):
    code = "InvalidRequestException"


class ParameterError(ServiceError):
    code = "InvalidParameterException"


class LimitError(ServiceError):
    code = "LimitExceededException"


class NextTokenError(ServiceError):
    code = "InvalidNextTokenException"


class ValidationError(ServiceError):
    code = "ValidationException"
    member = "message"


class DeniedError(ServiceError):
    code = "AccessDeniedException"
    member = "message"


MODELLED = frozenset(
    error.code for error in ServiceError.__subclasses__() if error.member == "Message"
)


def success(content: dict[str, Any]) -> Answer:
    return 200, _headers(), json.dumps(content).encode()


def failure(error: ServiceError) -> Answer:
    body = {"__type": error.code, error.member: str(error)}
    return 400, {**_headers(), "x-amzn-errortype": error.code}, json.dumps(body).encode()


def with_modelled_member(answer: Answer) -> Answer:
    """MiniStack writes `message` where the service model has `Message`."""
    status, headers, body = answer
    if status < HTTPStatus.BAD_REQUEST:
        return answer
    content = json.loads(body)
    if content.get("__type") in MODELLED and "message" in content:
        content["Message"] = content.pop("message")
    return status, headers, json.dumps(content).encode()


def _headers() -> dict[str, str]:
    return {"Content-Type": "application/x-amz-json-1.1"}
