"""What `sam build` leaves for deployment."""

from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path

import pytest

from local.toolchain import CHECKOUT

UNCHECKED_HASH = (0b01).to_bytes(4, "little")
"""Flags of a .pyc (PEP 552): the source is never looked at to see whether it changed."""


@pytest.mark.parametrize("name", ["RekeyLayer/python", "RotatePostgresqlFunction"])
@pytest.mark.usefixtures("deployed")
def test_every_module_is_deployed_with_bytecode_for_the_functions_python(name: str) -> None:
    folder = CHECKOUT / ".aws-sam" / "build" / name
    sources = list(folder.rglob("*.py"))
    assert sources
    for source in sources:
        compiled = Path(cache_from_source(str(source))).read_bytes()
        assert compiled[:8] == MAGIC_NUMBER + UNCHECKED_HASH
