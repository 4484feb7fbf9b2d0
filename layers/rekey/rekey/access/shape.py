"""Members of a JSON document of unknown shape, without ever raising."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

NOTHING: Mapping[str, Any] = MappingProxyType({})


def mapping(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the object under ``key``; an empty one if there is none, or it is no object."""
    value = document.get(key)
    return value if isinstance(value, dict) else NOTHING


def text(document: Mapping[str, Any], key: str) -> str:
    """Return the string under ``key``; the empty one if there is none, or it is no string."""
    value = document.get(key)
    return value if isinstance(value, str) else ""


def texts(document: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return the strings of the list under ``key``."""
    value = document.get(key)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def strings(document: Mapping[str, Any], *keys: str) -> list[str]:
    """Return what ``text`` does for each key. Records hold many, and they come by the thousand."""
    return [value if isinstance(value, str) else "" for value in map(document.get, keys)]
