import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from local.toolchain import CHECKOUT
from tests.template.evaluation import Evaluation

Resources = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    """The template after SAM's transform."""
    done = subprocess.run(
        [CHECKOUT / ".venv" / "sam" / "bin" / "python", "-m", "local.transform"],
        cwd=CHECKOUT,
        env={"AWS_DEFAULT_REGION": "eu-central-1"},
        capture_output=True,
        check=True,
    )
    content: dict[str, Any] = json.loads(done.stdout)
    return content


@pytest.fixture(scope="session")
def resources(template: dict[str, Any]) -> Callable[..., Resources]:
    """The resources under parameters, as in `resources(VpcSubnetIds="subnet-1")`."""

    def under(**parameters: str) -> Resources:
        return Evaluation(template, parameters).resources()

    return under
