"""`make deploy-local`: the real template, by the real `sam`, into the account on this machine."""

import fcntl
import io
import os
import platform
import socket
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import boto3

from local import processes
from local.processes import HOST
from local.toolchain import CHECKOUT, ToolchainError, check_machine

STACK = "rekey"
REGION = "us-east-1"
DEFAULT_PORT = 4566
ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}
WORK = CHECKOUT / ".aws-sam"
LOG = WORK / "deploy.log"
PATIENCE = 600.0
"""Seconds for one command of sam: far more than it takes on a machine that has much to do."""


class DeployError(Exception):
    """The application is not deployed; the message is one line, details are in the log."""


def account_port() -> int:
    text = os.environ.get("REKEY_PORT") or str(DEFAULT_PORT)
    if not text.isdecimal():
        raise DeployError(f"REKEY_PORT must be a number, not {text!r}")
    return int(text)


def account_client(service: Any, port: int) -> Any:
    """A client of the account on this machine, with its root's key."""
    return boto3.client(
        service,
        endpoint_url=f"http://{HOST}:{port}",
        region_name=os.environ.get("AWS_DEFAULT_REGION") or REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the root key of an account that is not AWS
    )


def publish_ca_layer(port: int, pem: str) -> str:
    """The ARN of a new layer version that makes functions trust this certificate authority."""
    return publish_layer(port, "local-authority", {"certificates/local.pem": pem})


def publish_layer(port: int, name: str, files: Mapping[str, str]) -> str:
    """The ARN of a new layer version that holds these texts by their paths."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    answer = account_client("lambda", port).publish_layer_version(
        LayerName=name, Content={"ZipFile": content.getvalue()}
    )
    return str(answer["LayerVersionArn"])


def deploy(port: int, parameters: Mapping[str, str] | None = None) -> dict[str, str]:
    """Builds and deploys the stack with these parameters; its outputs by name.

    Raises DeployError, and ToolchainError where functions cannot run. Repeated with the same
    sources and parameters it changes nothing.
    """
    check_machine()
    _check_reachable(port)
    overrides = [f"{name}={value}" for name, value in _parameters(parameters or {}).items()]
    with _alone(), LOG.open("w") as log:
        _sam(["build", "--parameter-overrides", *overrides], port, log.fileno())
        _sam(["deploy", "--parameter-overrides", *overrides], port, log.fileno())
    return _outputs(port)


def _given(arguments: Sequence[str]) -> dict[str, str]:
    pairs = [argument.partition("=") for argument in arguments]
    if not all(name and equals for name, equals, _ in pairs):
        raise DeployError("a parameter of the template is given as name=value")
    return {name: value for name, _, value in pairs}


def _parameters(given: Mapping[str, str]) -> dict[str, str]:
    """The functions run behind the Python of this machine, on its processor."""
    return {
        "PythonRuntime": f"python3.{sys.version_info.minor}",
        "Architecture": ARCHITECTURES[platform.machine()],
        **given,
    }


def _sam(arguments: Sequence[str], port: int, log: int) -> None:
    command = [str(CHECKOUT / ".venv" / "sam" / "bin" / "sam"), *arguments, "--config-env", "local"]
    # Whatever ends sam early leaves no pip behind, nor what either of them wrote on the way.
    with tempfile.TemporaryDirectory(prefix="rekey-sam-", ignore_cleanup_errors=True) as folder:
        try:
            status = processes.run(
                command,
                seconds=PATIENCE,
                cwd=CHECKOUT,
                env={**_environment(port), "TMPDIR": folder},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            ended = f"failed with status {status}" if status else ""
        except subprocess.TimeoutExpired:
            ended = f"was not done after {PATIENCE:.0f} seconds"
    if ended:
        print("\n".join(LOG.read_text().splitlines()[-25:]), file=sys.stderr)
        raise DeployError(f"sam {arguments[0]} {ended}; all that it said is in {LOG}")


def _environment(port: int) -> dict[str, str]:
    """No credentials or settings of a real account reach sam."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    # sam builds with the first Python on PATH that has the runtime's version.
    interpreter = CHECKOUT / ".venv" / "lambda" / "bin"
    return inherited | {
        "PATH": f"{interpreter}{os.pathsep}{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION") or REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SAM_CLI_TELEMETRY": "0",
    }


@contextmanager
def _alone() -> Iterator[None]:
    """Two builds at once would write into one folder: the second one waits."""
    WORK.mkdir(exist_ok=True)
    with (WORK / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _check_reachable(port: int) -> None:
    try:
        socket.create_connection((HOST, port), timeout=5).close()
    except OSError as error:
        raise DeployError(
            f"no account answers at {HOST}:{port}: start it with `make account`"
        ) from error


def _outputs(port: int) -> dict[str, str]:
    stacks = account_client("cloudformation", port).describe_stacks(StackName=STACK)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}


def main() -> int:
    """Arguments are further parameters of the template, as name=value."""
    try:
        given = _given(sys.argv[1:])
        for name, value in deploy(account_port(), given).items():
            print(f"{name:<28} {value}")
    except (DeployError, ToolchainError) as error:
        print(f"deploy-local: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
