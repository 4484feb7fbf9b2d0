from pathlib import Path

import pytest

from tests.structure.imports import ADAPTERS, DECISIONS, INNER, module_name, modules, part_of
from tests.structure.imports import violations as violations_of


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_imports_never_point_back(path: Path) -> None:
    """Adapters know the inner modules only, and decisions know no library at all."""
    assert violations_of(module_name(path), path.read_text()) == []


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_every_module_belongs_to_a_part_that_has_rules(path: Path) -> None:
    assert part_of(module_name(path)) in INNER | DECISIONS | ADAPTERS | {""}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("rekey.rotation.steps", "import boto3"),
        ("rekey.rotation.steps", "def late():\n    from pg8000 import native"),
        ("rekey.recovery", "from aws_lambda_powertools import Logger"),
        ("rekey.rotation", "from rekey.engines.postgresql import engine"),
        ("rekey.rotation", "from rekey import aws"),
        ("rekey.model", "from rekey.rotation import steps"),
        ("rekey.engines.postgresql", "from rekey.aws import clients"),
        ("rekey.aws.clients", "from rekey.rotation import run"),
    ],
)
def test_an_arrow_that_points_back_is_found(module: str, source: str) -> None:
    assert violations_of(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("rekey.aws.clients", "import boto3\nfrom rekey.errors import RekeyError"),
        ("rekey.rotation.steps", "from rekey.rotation.guards import check\nimport json"),
        ("rekey.recovery", "from rekey import rotation"),
        ("rekey.model", "if TYPE_CHECKING:\n    import mypy_boto3_rds"),
    ],
)
def test_an_arrow_that_points_inwards_is_allowed(module: str, source: str) -> None:
    assert violations_of(module, source) == []
