"""Passwords, looked for wherever they must not be."""

import base64
from collections.abc import Collection, Mapping

from tests.conftest import Deployed
from tests.end_to_end.application import function_text


def check_nowhere(passwords: Collection[str], places: Mapping[str, str]) -> None:
    """Fail if one stands in a text, as it is or in base64; ``places`` are texts by their names."""
    for password in passwords:
        encoded = base64.b64encode(password.encode()).decode()
        for place, text in places.items():
            assert password not in text, place
            assert encoded not in text, place


def logs(deployed: Deployed, *names: str) -> dict[str, str]:
    """All that these functions of the stack have logged, by their names."""
    prefix = deployed.rotation_function_arn.rpartition(":")[0]
    return {name: "\n".join(function_text(deployed, f"{prefix}:rekey-{name}")) for name in names}
