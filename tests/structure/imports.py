"""Which part of the package `rekey` each module belongs to, and what it imports."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGE = CHECKOUT / "layers" / "rekey" / "rekey"

INNER = frozenset(
    {
        "credential",
        "crowd",
        "errors",
        "incident",
        "known",
        "model",
        "passwords",
        "ports",
        "request",
        "watched",
    }
)
DECISIONS = frozenset({"campaign", "dispatch", "rotation", "recovery", "access", "alerts"})
ADAPTERS = frozenset({"aws", "engines"})


def part_of(module: str) -> str:
    """`rekey.engines.tls` is of the part `engines`; the package itself is of the part ``."""
    return module.removeprefix("rekey").removeprefix(".").partition(".")[0]


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports(source: str) -> Iterator[str]:
    """The dotted names that a module imports, wherever in it; not those for types alone."""
    tree = ast.parse(source)
    for_types = {
        inner for outer in ast.walk(tree) if _is_for_types(outer) for inner in ast.walk(outer)
    }
    for node in ast.walk(tree):
        if node in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from _imported_from(node)


def _imported_from(node: ast.ImportFrom) -> Iterator[str]:
    module = node.module or ""
    if module == "rekey":  # `from rekey import rotation` imports a part
        yield from (f"rekey.{name.name}" for name in node.names)
    else:
        yield module


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def violations(module: str, source: str) -> list[str]:
    """What this module imports and may not."""
    part = part_of(module)
    return [name for name in imports(source) if not _may_import(part, name)]


def _may_import(part: str, name: str) -> bool:
    if name.partition(".")[0] != "rekey":
        return part in ADAPTERS or name.partition(".")[0] in sys.stdlib_module_names
    imported = part_of(name)
    return imported in INNER or (imported == part) or (part in DECISIONS and imported in DECISIONS)
