"""The user's checkout of AWS's rotation templates: read, counted and zipped, never changed."""

from __future__ import annotations

import io
import re
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

REPOSITORY = "aws-samples/aws-secrets-manager-rotation-lambdas"
MODULE = "lambda_function"
DRIVER = ("pg", "pgdb")
TEST_FILE = re.compile(r"(^|/)(tests?/.*|test_[^/]*|[^/]*_test)\.py$")


class CompareError(Exception):
    """The comparison cannot be made here; the message is one line that says what to change."""


class Strategy(StrEnum):
    """How a secret is rotated; both sides choose by the key `masterarn` in the secret."""

    SINGLE_USER = "single user"
    ALTERNATING_USERS = "alternating users"


FOLDERS = {
    Strategy.SINGLE_USER: "SecretsManagerRDSPostgreSQLRotationSingleUser",
    Strategy.ALTERNATING_USERS: "SecretsManagerRDSPostgreSQLRotationMultiUser",
}


@dataclass(frozen=True)
class Templates:
    """The two functions for PostgreSQL in a checkout."""

    folder: Path

    def __post_init__(self) -> None:
        """Raises CompareError if the folder is not such a checkout."""
        missing = [path for path in self.sources.values() if not path.is_file()]
        if missing:
            raise CompareError(f"TEMPLATES must be a checkout of {REPOSITORY}: no {missing[0]}")

    @property
    def sources(self) -> dict[Strategy, Path]:
        return {
            strategy: self.folder / folder / f"{MODULE}.py" for strategy, folder in FOLDERS.items()
        }

    def archive(self, strategy: Strategy, packages: Path) -> bytes:
        """A deployment package: the function as it is, and its driver out of `packages`."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.write(self.sources[strategy], f"{MODULE}.py")
            for path in _driver_files(packages):
                archive.write(path, str(path.relative_to(packages)))
        return content.getvalue()

    def state(self) -> str:
        """Commit and date, as far as git knows them."""
        command = ["git", "-C", str(self.folder), "log", "-1", "--format=%h of %cs"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return f"commit {done.stdout.strip()}" if done.returncode == 0 else "commit not known"

    def tests(self) -> int:
        """Test functions in the whole checkout."""
        return count_tests(self.folder)


def _driver_files(packages: Path) -> Iterator[Path]:
    for name in DRIVER:
        for path in sorted((packages / name).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def count_tests(folder: Path) -> int:
    """Functions named test_... in files that look like tests; parameters count once."""
    files = (p for p in folder.rglob("*.py") if TEST_FILE.search(p.relative_to(folder).as_posix()))
    definition = re.compile(r"^\s*(async )?def test_", re.MULTILINE)
    return sum(len(definition.findall(path.read_text())) for path in files)
