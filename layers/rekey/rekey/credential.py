"""The JSON of a secret: what AWS's rotation templates read, with unknown keys preserved.

Source: AWS Secrets Manager User Guide, "JSON structure of AWS Secrets Manager secrets".
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from rekey.errors import InvalidSecretValue

PORT = re.compile("[1-9][0-9]{0,4}")
MAX_PORT = 65_535
MAX_BYTES = 65_536
"""Of a secret's value (Secrets Manager API, PutSecretValue)."""


@dataclass(frozen=True)
class Credential:
    """One user on one server. ``port`` and ``dbname`` are None where the secret leaves them out.

    ``tls`` is False only if the secret itself says ``"ssl": false``. ``document`` is the whole
    JSON object, so that keys that Rekey does not know survive a rotation.
    """

    engine: str
    host: str
    username: str
    password: str = field(repr=False)
    port: int | None
    dbname: str | None
    tls: bool
    superuser_arn: str | None
    document: Mapping[str, Any] = field(repr=False)

    @classmethod
    def parse(cls, text: str, *, what: str) -> Self:
        """Read a secret's value; ``what`` names it in errors ("AWSCURRENT").

        Raises InvalidSecretValue, whose text names keys and types, never values.
        """
        document = parse_object(text, what=what)
        port = _port(document, what)
        return cls(
            engine=_required(document, "engine", what),
            host=_required(document, "host", what),
            username=_required(document, "username", what),
            password=_required(document, "password", what),
            port=port,
            dbname=_optional(document, "dbname", what),
            tls=_tls(document, what),
            superuser_arn=_optional(document, "masterarn", what),
            document=document,
        )

    def with_login(self, username: str, password: str) -> Self:
        """Return the same server and further keys with another user name and password."""
        document = {**self.document, "username": username, "password": password}
        return replace(self, username=username, password=password, document=document)

    def to_json(self) -> str:
        """Return the value to store, as short as the one that was read.

        Raises InvalidSecretValue if it is more than Secrets Manager stores.
        """
        text = json.dumps(self.document, ensure_ascii=False)
        if not _travels(text):
            text = json.dumps(self.document)
        if len(text.encode()) > MAX_BYTES:
            raise InvalidSecretValue(
                f"With the new password, the value has more than {MAX_BYTES} bytes. Shorten it."
            )
        return text


def parse_object(text: str, *, what: str) -> dict[str, Any]:
    """Return the JSON object in ``text``.

    The decoder's own error holds the whole document, so it must not travel along as the context
    of ours: the raise stands outside the handler.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict):
        return document
    raise InvalidSecretValue(
        f"The value of {what} is not a JSON object. Store the keys engine, host, username and "
        "password (docs/secret-format.md)."
    )


def _required(document: Mapping[str, Any], key: str, what: str) -> str:
    if document.get(key) in (None, ""):
        raise InvalidSecretValue(
            f'The value of {what} lacks the key "{key}". Add it (docs/secret-format.md).'
        )
    return _string(document, key, what)


def _optional(document: Mapping[str, Any], key: str, what: str) -> str | None:
    return None if document.get(key) in (None, "") else _string(document, key, what)


def _string(document: Mapping[str, Any], key: str, what: str) -> str:
    value = document[key]
    if isinstance(value, str) and _travels(value):
        return value
    raise InvalidSecretValue(
        f'The key "{key}" in {what} must be a string without NUL characters or lone surrogates.'
    )


def _travels(value: str) -> bool:
    """Tell whether a wire protocol can carry ``value`` as UTF-8 that ends with NUL."""
    return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _port(document: Mapping[str, Any], what: str) -> int | None:
    """Read the port as AWS's templates do: a number, or a string that holds one."""
    value = document.get("port")
    if value is None or value == "":
        return None
    digits = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if PORT.fullmatch(digits) and int(digits) <= MAX_PORT:
        return int(digits)
    raise InvalidSecretValue(f'The key "port" in {what} must be a number from 1 to {MAX_PORT}.')


def _tls(document: Mapping[str, Any], what: str) -> bool:
    """Read ``ssl``: a boolean or "true"/"false" in any case. Missing means TLS."""
    value = document.get("ssl", True)
    text = str(value).lower() if isinstance(value, bool | str) else ""
    if text not in ("true", "false"):
        raise InvalidSecretValue(f'The key "ssl" in {what} must be true or false.')
    return text == "true"
