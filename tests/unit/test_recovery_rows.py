"""Each row of the decision table has its proof through the deployed stack."""

from types import ModuleType

from rekey.recovery.rules import RULES
from tests.workflows import test_causes, test_recover


def reached(module: ModuleType) -> set[str]:
    """The rows that tests of a module name; tests/workflows/conftest.py sees that it is true."""
    tests = [value for name, value in vars(module).items() if name.startswith("test_")]
    marks = [mark for test in tests for mark in getattr(test, "pytestmark", [])]
    return {found for mark in marks if mark.name == "reaches" for found in mark.args}


def test_every_row_of_the_decision_table_is_reached_by_a_test_of_the_deployed_stack() -> None:
    assert reached(test_recover) | reached(test_causes) == {rule.found for rule in RULES}
