"""Whether a call wrote a value, which no record ever shows."""

from collections.abc import Mapping
from typing import Any

from rekey.access.shape import text


def value_updated(asked: Mapping[str, Any], answered: Mapping[str, Any]) -> bool:
    """Whether UpdateSecret wrote a value: it sets a description or another key as well.

    Without a version in the answer, a value was written if nothing else was asked for.
    """
    others = any(name in asked for name in ("description", "kmsKeyId"))
    return text(answered, "versionId") != "" or not others
