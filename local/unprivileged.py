"""Runs a program without root's rights: PostgreSQL refuses to start with them."""

import os
import subprocess
from pathlib import Path

NOBODY = 65534
SETPRIV = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
# Inside this namespace root's own files belong to user 1000, so no folder has to change hands.
NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


class CannotDropRightsError(Exception):
    """Neither user `nobody` nor a user namespace can run the program."""


def prefix(program: Path, folder: Path) -> tuple[str, ...]:
    """What goes before the command line of `program`, which works in `folder`.

    Empty for anyone but root. `folder` is given to nobody, if nobody can reach it and the
    program: neither can be taken for granted below a home folder.
    """
    if os.geteuid() != 0:
        return ()
    os.chown(folder, NOBODY, NOBODY)
    if _succeeds(*SETPRIV, "test", "-x", str(program), "-a", "-w", str(folder)):
        return SETPRIV
    os.chown(folder, 0, 0)
    if _succeeds(*NAMESPACE, "test", "-x", str(program), "-a", "-w", str(folder)):
        return NAMESPACE
    raise CannotDropRightsError(
        f"{program} may not run as root, nobody cannot reach it, and user namespaces are off:"
        " run as another user, or from a folder that everyone can read"
    )


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
