"""How large what is deployed is."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

BIGGEST = 3


@dataclass(frozen=True)
class Size:
    """Bytes of one layer or function; `parts` are its biggest files and folders, unzipped."""

    name: str
    zipped: int
    unzipped: int
    bytecode: int
    parts: list[tuple[str, int]]


def sizes(built: Path) -> list[Size]:
    return [_size(folder) for folder in sorted(built.iterdir()) if folder.is_dir()]


def _size(folder: Path) -> Size:
    files = [path for path in folder.rglob("*") if path.is_file()]
    parts: Counter[str] = Counter()
    root = folder / "python" if (folder / "python").is_dir() else folder
    for path in files:
        parts[path.relative_to(root).parts[0]] += path.stat().st_size
    return Size(
        folder.name,
        _zipped(folder, files),
        parts.total(),
        sum(path.stat().st_size for path in files if path.suffix == ".pyc"),
        parts.most_common(BIGGEST),
    )


def _zipped(folder: Path, files: list[Path]) -> int:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(folder))
    return len(content.getvalue())
