"""Rotation functions as others see them: by their tags."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from rekey.errors import LambdaFailure

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

TAG = "rekey:function"
PARTS = 7
"""Of a function's ARN without a version or alias."""


class LambdaFunctions:
    """See RotationFunctions."""

    def __init__(self, client: "LambdaClient") -> None:
        self._client = client

    def is_ours(self, arn: str) -> bool:
        """See RotationFunctions."""
        # Tags belong to the function, whatever version or alias of it a secret names.
        unqualified = ":".join(arn.split(":")[:PARTS])
        try:
            return TAG in self._client.list_tags(Resource=unqualified)["Tags"]
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
        except BotoCoreError as error:
            code = type(error).__name__
        # AccessDenied is what Lambda says of functions of other accounts.
        if code in {"ResourceNotFoundException", "AccessDeniedException"}:
            return False
        raise LambdaFailure(f"Lambda did not list the tags of {unqualified}: {code}.")
