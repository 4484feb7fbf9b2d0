"""What an answer says about a failed call, in any of AWS's protocols."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

_CODE = re.compile(r"<Code>(.*?)</Code>", re.DOTALL)
_MESSAGE = re.compile(r"<Message>(.*?)</Message>", re.DOTALL)
# Who failed to say who he is was nobody yet.
_NOBODY = re.compile(
    "UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|ExpiredToken"
    "|MissingAuthenticationToken|IncompleteSignature|InvalidAccessKeyId|AuthFailure"
)


def error_of(status: int, headers: dict[str, str], body: bytes) -> tuple[str, str] | None:
    """Code and message of a failed call, None for one that worked.

    A denial is `AccessDenied` in a record even where the service answers AccessDeniedException.
    """
    if status < 400:  # noqa: PLR2004  # the first status that means failure
        return None
    text = body.decode("utf-8", "replace")
    code, message = _xml(text) if text.lstrip().startswith("<") else _json(text, headers)
    return ("AccessDenied" if code == "AccessDeniedException" else code), message


def is_denial(error: tuple[str, str] | None) -> bool:
    """Whether IAM refused the call: only then the record has no parameters."""
    return error is not None and " is not authorized to perform: " in error[1]


def is_unauthenticated(error: tuple[str, str] | None) -> bool:
    return error is not None and bool(_NOBODY.match(error[0]))


def _xml(text: str) -> tuple[str, str]:
    code, message = _CODE.search(text), _MESSAGE.search(text)
    return code[1] if code else "InternalError", unescape(message[1]) if message else ""


def _json(text: str, headers: dict[str, str]) -> tuple[str, str]:
    try:
        answer: dict[str, Any] = dict(json.loads(text))
    except (TypeError, ValueError):
        answer = {}
    named = answer.get("__type") or headers.get("x-amzn-errortype") or answer.get("code")
    code = str(named or "InternalError").rpartition("#")[2].partition(":")[0]
    return code, str(answer.get("message") or answer.get("Message") or "")
