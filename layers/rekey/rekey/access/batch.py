"""What BatchGetSecretValue asked for.

Source: Secrets Manager API reference, "Filter": values that begin with `!` are excluded, and a
value matches by its beginning.
"""

from collections.abc import Mapping
from typing import Any

from rekey.access.shape import texts


def catches_all(asked: Mapping[str, Any]) -> bool:
    """Whether a batch gets whatever its caller may read: no list, and no filter that narrows."""
    if texts(asked, "secretIdList"):
        return False
    filters = asked.get("filters")
    if not isinstance(filters, list):
        return True
    return not any(_narrows(part) for part in filters if isinstance(part, dict))


def _narrows(part: Mapping[str, Any]) -> bool:
    """A filter whose every value is negated or empty excludes little, and lets the rest pass."""
    return any(value.strip() and not value.startswith("!") for value in texts(part, "values"))
