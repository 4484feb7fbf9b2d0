"""What `sam deploy --guided` writes into samconfig.toml, and the next `sam deploy` reads there."""

import json
import re
import subprocess
from typing import Any

from local.toolchain import CHECKOUT

ROUND_TRIP = """
import json, sys
import tomlkit
from samcli.cli.types import CfnParameterOverridesType
from samcli.commands.deploy.guided_config import GuidedConfig

quote = GuidedConfig.quote_parameter_values
given = " ".join(f"{name}={quote(value)}" for name, value in json.load(sys.stdin).items())
written = tomlkit.dumps({"parameter_overrides": given})
read = tomlkit.loads(written)["parameter_overrides"]
json.dump(CfnParameterOverridesType().convert(read, None, None), sys.stdout)
"""
"""By the SAM CLI's own code, in its environment."""


def defaults(template: dict[str, Any]) -> dict[str, str]:
    return {name: str(item["Default"]) for name, item in template["Parameters"].items()}


def test_the_next_deployment_reads_every_default_as_the_guided_one_has_written_it(
    template: dict[str, Any],
) -> None:
    done = subprocess.run(
        [CHECKOUT / ".venv" / "sam" / "bin" / "python", "-c", ROUND_TRIP],
        input=json.dumps(defaults(template)),
        env={},
        capture_output=True,
        check=True,
        text=True,
    )
    assert json.loads(done.stdout) == defaults(template)


def test_no_default_has_a_backslash_that_would_escape_something(template: dict[str, Any]) -> None:
    """The SAM CLI puts a backslash before every quote, and none before a backslash."""
    for name, default in defaults(template).items():
        assert not re.search(r"""\\["' ]|\\$""", default), name
