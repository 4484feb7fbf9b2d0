"""AWS's templates verify servers with one file, at a path that only Amazon Linux and Fedora have.

The path stands in their source, so that nothing but a file there makes them trust a server of this
machine. It is put there for the time of a run, and only where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATH = Path("/etc/pki/tls/cert.pem")


@contextmanager
def trusting(pem: str, path: Path = PATH) -> Iterator[bool]:
    """Whether the templates trust this authority while the block runs; all is undone after it."""
    created: list[Path] = []
    try:
        yield _put(pem, path, created)
    finally:
        for folder in reversed(created):
            folder.rmdir() if folder != path else folder.unlink()


def _put(pem: str, path: Path, created: list[Path]) -> bool:
    """Notes what it creates before anything can go wrong."""
    if path.exists():
        return False
    try:
        for folder in reversed(path.parents):
            if not folder.exists():
                folder.mkdir()
                created.append(folder)
        with path.open("x") as file:
            created.append(path)
            file.write(pem)
    except OSError:
        return False
    return True
