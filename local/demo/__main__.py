"""`python -m local.demo`: exit status 0 only if everything was as claimed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType

from local.demo import scenes
from local.demo.claims import Claim, exit_status
from local.demo.rotation import RotationLostError
from local.demo.screen import Screen
from local.demo.stage import set_up
from local.deploy import DeployError
from local.mysql import MysqlError
from local.postgres import PostgresError
from local.processes import HOST, STOP_SIGNALS
from local.running_account import AccountError
from local.toolchain import ToolchainError
from local.unprivileged import CannotDropRightsError

FAULTS = (
    AccountError,
    CannotDropRightsError,
    DeployError,
    MysqlError,
    PostgresError,
    RotationLostError,
    ToolchainError,
)


class Interrupted(KeyboardInterrupt):
    """Somebody wants the demo to stop; the number is the signal's."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)


def main() -> int:
    for number in STOP_SIGNALS:
        signal.signal(number, _interrupt)
    _stay_on_this_machine()
    try:
        return _perform(Screen())
    except Interrupted as interruption:
        print("\nInterrupted. Everything that was started has ended.", file=sys.stderr)
        return 128 + interruption.number
    except FAULTS as fault:
        print(f"demo: {fault}", file=sys.stderr)
        return 1


def _interrupt(number: int, _: FrameType | None) -> None:
    """Only the first signal counts: a second one would cut off the cleaning up."""
    for each in STOP_SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise Interrupted(number)


def _stay_on_this_machine() -> None:
    """Neither the user's own AWS settings nor a proxy get between the demo and 127.0.0.1."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), HOST]))


def _perform(screen: Screen) -> int:
    started = time.monotonic()
    screen.scene("Rekey rotates real PostgreSQL passwords, in an AWS account on this machine")
    screen.say("Everything listens on 127.0.0.1 only. No AWS account and no Docker is used.")
    screen.scene("Starting")
    with set_up(screen) as stage:
        found = scenes.play(stage, screen)
    return close(screen, found, time.monotonic() - started)


def close(screen: Screen, found: Sequence[Claim], seconds: float) -> int:
    """The closing table, and the exit status that it means."""
    screen.scene("What was claimed, and what was seen")
    screen.claims(found)
    held = sum(claim.holds for claim in found)
    screen.say(
        f"{held} of {len(found)} claims hold. {seconds:.0f} s in all."
        " Everything that was started has ended."
    )
    return exit_status(found)


if __name__ == "__main__":
    sys.exit(main())
