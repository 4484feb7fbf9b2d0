"""S3: what the parts of a campaign hand to each other, and what a person reads in the end.

A campaign may have half a million secrets. Its documents are read and written piece by piece: only
what is kept of them stands in memory.
"""

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from rekey.errors import CampaignFailure

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

PIECE = 1 << 16
BETWEEN = re.compile(r"[\s,\[]*")


class BucketDocuments:
    """See Documents."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def write(self, key: str, document: object) -> str:
        """See Documents."""
        with TemporaryFile() as body:
            for piece in _pieces(document):
                body.write(piece.encode())
            body.seek(0)
            _ask(lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=body), key)
        return f"s3://{self._bucket}/{key}"

    def read(self, key: str) -> Any:
        """See Documents."""
        return json.load(self._open(key)["Body"])

    def each(self, key: str) -> Iterator[Any]:
        """See Documents."""
        try:
            yield from objects(self._open(key)["Body"].iter_chunks(PIECE))
        except (BotoCoreError, ValueError) as error:
            reason = type(error).__name__
        else:
            return
        raise CampaignFailure(f"The document {key} could not be read to its end: {reason}.")

    def _open(self, key: str) -> Any:
        return _ask(lambda: self._client.get_object(Bucket=self._bucket, Key=key), key)


def _pieces(document: object) -> Iterator[str]:
    """Encode one item of a list after the other: all at once would be there twice."""
    match document:
        case dict():
            for opening, key in zip(chain("{", repeat(", ")), document, strict=False):
                yield f"{opening}{json.dumps(key)}: "
                yield from _pieces(document[key])
            yield "}" if document else "{}"
        case list():
            for opening, value in zip(chain("[", repeat(", ")), document, strict=False):
                yield f"{opening}{json.dumps(value)}"
            yield "]" if document else "[]"
        case _:
            yield json.dumps(document)


def objects(pieces: Iterable[bytes]) -> Iterator[Any]:
    """Decode an array of objects that comes in pieces. Raises ValueError if its end is missing."""
    decode, text = codecs.getincrementaldecoder("utf-8")().decode, ""
    for piece in pieces:
        text += decode(piece)
        at = _next(text, 0)
        while at < len(text) and text[at] == "{":
            try:
                found, end = json.JSONDecoder().raw_decode(text, at)
            except json.JSONDecodeError:
                break  # Its end is in the next piece.
            yield found
            at = _next(text, end)
        text = text[at:]
    if text.strip() != "]":
        raise ValueError("The array does not end.")


def _next(text: str, at: int) -> int:
    found = BETWEEN.match(text, at)
    return found.end() if found else at


def _ask(call: Callable[[], T], key: str) -> T:
    try:
        return call()
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
    except BotoCoreError as error:
        code = type(error).__name__
    raise CampaignFailure(f"The document {key} could not be read or written: {code}.")
