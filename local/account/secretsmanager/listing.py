"""ListSecrets: filters, order and pages.

Source: API reference of ListSecrets and of its Filter; the word matching is recorded.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from typing import Any

from ministack.services import secretsmanager

from local.account.secretsmanager import labels, records
from local.account.secretsmanager.errors import NextTokenError
from local.account.secretsmanager.store import Secret

PAGE = 100


def list_secrets(request: dict[str, Any]) -> dict[str, Any]:
    """Secrets that are being deleted only if asked for."""
    found = [
        secret
        for secret in secretsmanager._secrets.values()
        if (request.get("IncludePlannedDeletion") or not secret.get("DeletedDate"))
        and all(matches(secret, condition) for condition in request.get("Filters") or [])
    ]
    found.sort(
        key=lambda secret: (secret["CreatedDate"], secret["Name"]),
        reverse=request.get("SortOrder") == "desc",
    )
    start, size = _start(request.get("NextToken")), request.get("MaxResults") or PAGE
    answer: dict[str, Any] = {"SecretList": [_entry(s) for s in found[start : start + size]]}
    if start + size < len(found):
        answer["NextToken"] = base64.b64encode(str(start + size).encode()).decode()
    return answer


def _start(token: str | None) -> int:
    try:
        return int(base64.b64decode(token, validate=True)) if token else 0
    except (ValueError, binascii.Error) as error:
        raise NextTokenError("Invalid NextToken") from error


def _entry(secret: Secret) -> dict[str, Any]:
    entry = records.described(secret)
    if stages := labels.to_versions(secret):
        entry["SecretVersionsToStages"] = stages
    return entry


def _tags(secret: Secret, part: str) -> list[str]:
    return [tag[part] for tag in secret.get("Tags") or []]


_ATTRIBUTES: dict[str, Callable[[Secret], list[str]]] = {
    "name": lambda secret: [secret["Name"]],
    "description": lambda secret: [secret.get("Description") or ""],
    "tag-key": lambda secret: _tags(secret, "Key"),
    "tag-value": lambda secret: _tags(secret, "Value"),
    "primary-region": lambda secret: [secret.get("_PrimaryRegion") or ""],
    "owning-service": lambda secret: [secret.get("OwningService") or ""],
}


def matches(secret: Secret, condition: dict[str, Any]) -> bool:
    """One filter: any of its values, or, after an exclamation mark, not that value."""
    key = condition.get("Key", "all")
    return any(
        not _has(secret, key, value[1:]) if value.startswith("!") else _has(secret, key, value)
        for value in condition.get("Values") or []
    )


def _has(secret: Secret, key: str, value: str) -> bool:
    """Prefixes of whole attributes; of the words of a description, or of everything."""
    if key == "description":
        return _words_begin(_ATTRIBUTES[key](secret), value)
    if key in _ATTRIBUTES:
        return any(attribute.startswith(value) for attribute in _ATTRIBUTES[key](secret))
    return _words_begin((text for read in _ATTRIBUTES.values() for text in read(secret)), value)


def _words_begin(texts: Iterable[str], value: str) -> bool:
    words = [word for text in texts for word in _words(text)]
    return all(any(word.startswith(wanted) for word in words) for wanted in _words(value))


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[ /_+=.@!-]+", text.lower()) if word]
