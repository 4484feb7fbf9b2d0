"""Secrets in what an operator is told, in whatever form."""

import base64
from collections.abc import Collection


def leaks(text: str, passwords: Collection[str]) -> bool:
    """Whether one of them stands in it."""
    return any(form in text for password in passwords for form in _forms(password))


def _forms(password: str) -> set[str]:
    """As it is, and as a server, a driver or a log would write it."""
    encoded = base64.b64encode(password.encode()).decode().rstrip("=")
    return {password, encoded, password.replace("'", "''"), repr(password)[1:-1]}
