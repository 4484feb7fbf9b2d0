"""S3: what the parts of a campaign hand to each other, and what a person reads in the end."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from rekey.errors import CampaignFailure

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")


class BucketDocuments:
    """See Documents."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def write(self, key: str, document: object) -> str:
        """See Documents."""
        body = json.dumps(document).encode()
        _ask(lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=body), key)
        return f"s3://{self._bucket}/{key}"

    def read(self, key: str) -> Any:
        """See Documents."""
        answer = _ask(lambda: self._client.get_object(Bucket=self._bucket, Key=key), key)
        return json.load(answer["Body"])


def _ask(call: Callable[[], T], key: str) -> T:
    try:
        return call()
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
    except BotoCoreError as error:
        code = type(error).__name__
    raise CampaignFailure(f"The document {key} could not be read or written: {code}.")
