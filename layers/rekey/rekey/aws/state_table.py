"""Requests to the state table, whose errors are of Rekey's own tree."""

from collections.abc import Callable
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from rekey.errors import StateTableFailure

T = TypeVar("T")


class ConditionFailed(StateTableFailure):
    """The condition of a write did not hold."""


def ask(call: Callable[..., T], **parameters: Any) -> T:
    """Call DynamoDB. Raises ConditionFailed or StateTableFailure."""
    try:
        return call(**parameters)
    except ClientError as error:
        said = error.response.get("Error", {})
        text = f"{error.operation_name}: {said.get('Code')}: {said.get('Message')}"
        if said.get("Code") == "ConditionalCheckFailedException":
            raise ConditionFailed(text) from None
        raise StateTableFailure(f"DynamoDB refused. {text}") from None
    except BotoCoreError as error:
        raise StateTableFailure(f"DynamoDB did not answer ({type(error).__name__}).") from None
