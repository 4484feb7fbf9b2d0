"""A pytest plugin, in LocalStack's environment: two things that its tests take for granted."""

import os
import warnings

import pytest
from typing_extensions import deprecated

# Its test support imports this name, which Python has only from 3.13 on.
if not hasattr(warnings, "deprecated"):
    warnings.deprecated = deprecated  # type: ignore[attr-defined]  # as 3.13 has it


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Its conftest.py expects plain HTTP at port 4566, whatever LOCALSTACK_HOST says."""
    from localstack import config  # noqa: PLC0415 - reads its environment when it is imported

    address = config.HostAndPort.parse(os.environ["LOCALSTACK_HOST"], "localhost", 4566)
    config.GATEWAY_LISTEN = config.UniqueHostAndPortList([address])
