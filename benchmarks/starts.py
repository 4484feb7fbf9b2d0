"""How long a function takes to start, behind Lambda's own runtime interface emulator."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from benchmarks.deployed import OWN
from benchmarks.stage import BenchError, wait_for
from local.processes import HOST, free_port
from local.toolchain import CHECKOUT

EMULATORS = {"x86_64": "aws-lambda-rie-x86_64", "aarch64": "aws-lambda-rie-arm64"}
NEEDED = (
    *("REKEY_STATE_TABLE", "REKEY_ALERTS_TOPIC_ARN", "REKEY_SWEEP_ROLE_ARN"),
    *("REKEY_CAMPAIGN_BUCKET", "REKEY_RETIRE_GRACE_SECONDS"),
    *("REKEY_RETIRE_STATE_MACHINE_ARN", "REKEY_RECOVER_STATE_MACHINE_ARN"),
)
"""What some functions read from their environment when they start; the values do not matter."""
INIT = re.compile(r"INIT REPORT\(durationMs: ([0-9.]+)\)")


def initialisations(built: Path, runs: int) -> dict[str, list[float]]:
    """Milliseconds, by function; in turn, so that what else the machine does meets all of them.

    The emulator's line INIT REPORT counts: from starting the process to its first /next.
    """
    layer = built / "RekeyLayer" / "python"
    with tempfile.TemporaryDirectory(prefix="rekey-bench-") as folder:
        bare = Path(folder)
        (bare / "app.py").write_text((OWN / "bare.py").read_text())
        functions = {"boto3 only": [bare]} | {
            function.name: [function, layer] for function in sorted(built.glob("*Function"))
        }
        taken: dict[str, list[float]] = {name: [] for name in functions}
        for _ in range(runs):
            for name, path in functions.items():
                taken[name].append(_initialisation(path))
    return taken


def _initialisation(path: list[Path]) -> float:
    port = free_port()
    command = [
        *(str(_emulator()), "--runtime-interface-emulator-address", f"{HOST}:{port}"),
        *("--runtime-api-address", f"{HOST}:{free_port()}"),
        *(str(CHECKOUT / ".venv" / "lambda" / "bin" / "python"), "-m", "awslambdaric"),
        "app.handler",
    ]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            command, env=_environment(path), cwd=path[0], stdout=said, stderr=said
        )
        try:
            wait_for(lambda: _invoked(port), "the runtime interface emulator", 0.005)
        finally:
            process.terminate()
            process.wait()
        said.seek(0)
        text = said.read()
    found = INIT.search(text)
    if found is None or "INIT RTDONE(status: success)" not in text:
        raise BenchError(f"{path[0].name} did not start: {text[-1000:]}")
    return float(found[1])


def _invoked(port: int) -> bool | None:
    """The emulator starts the function at the first invocation; what it answers does not matter."""
    url = f"http://{HOST}:{port}/2015-03-31/functions/function/invocations"
    with suppress(ConnectionError, urllib.error.URLError):
        urllib.request.urlopen(url, b"{}", timeout=30).close()
        return True
    return None


def _emulator() -> Path:
    folder = CHECKOUT / ".venv" / "sam" / "lib" / f"python3.{sys.version_info.minor}"
    name = EMULATORS[platform.machine()]
    return folder / "site-packages" / "samcli" / "local" / "rapid" / name


def _environment(path: list[Path]) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "LAMBDA_TASK_ROOT": str(path[0]),
        "PYTHONPATH": ":".join(map(str, path)),
        # Folders are read-only on Lambda.
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "POWERTOOLS_SERVICE_NAME": "bench",
        **dict.fromkeys(NEEDED, "1"),
    }
