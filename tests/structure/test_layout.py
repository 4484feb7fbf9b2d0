import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.structure.imports import CHECKOUT

VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
# Put together here, so that this file does not hold what it looks for.
REGISTRIES = ["pypi" + r"\.org", "pythonhosted" + r"\.org", "npmjs" + r"\.(org|com)"]
INDEX_OPTIONS = [r"--(extra-)?index" + "-url", r"--find" + "-links"]
MACHINE_PATHS = [r"(?<![\w./])/" + name + "/" for name in ("work", "root", "home")]


def tracked_files() -> list[Path]:
    """What git tracks: a log that somebody keeps here is no business of the project's."""
    command = ["git", "ls-files"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    files = [CHECKOUT / line for line in sorted(set(done.stdout.splitlines()))]
    return [path for path in files if path.is_file()]


def code_lines(source: str) -> int:
    """Lines of statements, without imports, docstrings and what is blank."""
    statements = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
    code, silent = set[int](), set[int]()
    for node in statements:
        lines = silent if _is_import_or_docstring(node) else code
        lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    texts = source.splitlines()
    return len([line for line in code - silent if texts[line - 1].strip()])


def _is_import_or_docstring(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


@pytest.mark.parametrize(
    "path", sorted(CHECKOUT.glob("functions/*/app.py")), ids=lambda path: path.parent.name
)
def test_a_handler_module_is_wiring_only(path: Path) -> None:
    assert code_lines(path.read_text()) <= 15


def test_a_handler_module_with_logic_is_found() -> None:
    assert (
        code_lines('"""Doc."""\nimport os\n\ndef handler():\n    """Doc."""\n    return 1\n') == 2
    )


def test_modules_are_named_after_what_they_do() -> None:
    parts = {part for path in tracked_files() for part in path.relative_to(CHECKOUT).parts}
    assert {Path(part).stem for part in parts} & VAGUE == set()


@pytest.mark.parametrize("pattern", [*REGISTRIES, *INDEX_OPTIONS, *MACHINE_PATHS])
def test_nothing_tracked_names_a_registry_or_a_path_of_one_machine(pattern: str) -> None:
    found = [
        path.relative_to(CHECKOUT)
        for path in tracked_files()
        if re.search(pattern, path.read_text(errors="replace"))
    ]
    assert found == []


def test_every_sample_event_is_a_json_object() -> None:
    for path in sorted((CHECKOUT / "events").rglob("*.json")):
        assert isinstance(json.loads(path.read_text()), dict), path.name


@pytest.mark.parametrize(
    "path", [path for path in tracked_files() if path.name == "requirements.txt"], ids=str
)
def test_requirements_of_what_is_deployed_are_pinned_by_hash(path: Path) -> None:
    entries = re.findall(r"^\S.*?(?=^\S|\Z)", path.read_text(), re.MULTILINE | re.DOTALL)
    assert bool(entries) is bool(path.with_suffix(".in").read_text())
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
