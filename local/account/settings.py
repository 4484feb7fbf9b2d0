"""What the environment says about the account on this machine."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
DEFAULT_PORT = 4566
DEFAULT_ROTATION_DELAYS = "1,2,4,8"


class SettingsError(Exception):
    """A variable has a value that cannot be used; the message names it."""


@dataclass(frozen=True)
class Settings:
    """`port` 0 lets the system choose; `rotation_delays` are seconds, the last repeats."""

    port: int
    region: str
    account_id: str
    lambda_python: Path
    warm_functions: int
    rotation_attempts: int
    rotation_delays: tuple[float, ...]


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Raises SettingsError, which names the variable."""
    default_python = CHECKOUT / ".venv" / "lambda" / "bin" / "python"
    return Settings(
        port=_number(environment, "REKEY_PORT", str(DEFAULT_PORT), low=0, high=65535),
        region=environment.get("AWS_DEFAULT_REGION") or "us-east-1",
        account_id=environment.get("MINISTACK_ACCOUNT_ID") or "000000000000",
        lambda_python=Path(environment.get("REKEY_LAMBDA_PYTHON") or default_python),
        warm_functions=_number(environment, "REKEY_WARM_FUNCTIONS", "16", low=1, high=1000),
        rotation_attempts=_number(environment, "REKEY_ROTATION_ATTEMPTS", "5", low=1, high=100),
        rotation_delays=_delays(environment),
    )


def _number(environment: Mapping[str, str], name: str, default: str, low: int, high: int) -> int:
    text = environment.get(name) or default
    if not text.isdecimal() or not low <= int(text) <= high:
        raise SettingsError(f"{name} must be a whole number from {low} to {high}, not {text!r}")
    return int(text)


def _delays(environment: Mapping[str, str]) -> tuple[float, ...]:
    text = environment.get("REKEY_ROTATION_DELAYS") or DEFAULT_ROTATION_DELAYS
    try:
        delays = tuple(float(part) for part in text.split(","))
    except ValueError:
        delays = ()
    if not delays or min(delays) < 0:
        raise SettingsError(f"REKEY_ROTATION_DELAYS must be seconds like 1,2,4,8, not {text!r}")
    return delays


def apply_to_ministack(settings: Settings, port: int, folder: Path) -> None:
    """MiniStack reads its environment when it is imported: call this before.

    Everything that would listen on another address or write outside `folder` is turned off.
    """
    tempfile.tempdir = str(folder)
    os.environ.update(
        AUTH="true",
        BIND_HOST="127.0.0.1",
        GATEWAY_PORT=str(port),
        EDGE_PORT=str(port),
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
        MINISTACK_REGION=settings.region,
        MINISTACK_ACCOUNT_ID=settings.account_id,
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        USE_SSL="0",
        PERSIST_STATE="0",
        S3_PERSIST="0",
        LAMBDA_EXECUTOR="local",
        S3_DATA_DIR=str(folder / "s3"),
        STATE_DIR=str(folder / "state"),
        TMPDIR=str(folder),
    )
    os.environ.pop("LAMBDA_STRICT", None)
    os.environ.setdefault("LOG_LEVEL", "WARNING")
