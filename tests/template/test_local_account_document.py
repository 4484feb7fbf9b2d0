"""docs/local-account.md: what of the template has no effect there is shown by a test instead."""

import json
import re
from typing import Any

from local.toolchain import CHECKOUT
from tests.documents import document, section

LIMITS = re.split(
    r"^- ", section(document("local-account.md"), "## What it cannot show"), flags=re.MULTILINE
)[1:]


def named_tests(text: str) -> list[tuple[str, str]]:
    """Names of tests, and the files that they are said to be in."""
    return re.findall(r"`(test_\w+)`\s+in\s+`(tests/[\w/]+\.py)`", text)


def test_each_limit_that_names_a_setting_of_the_template_names_a_test(
    template: dict[str, Any],
) -> None:
    settings = set(re.findall(r'"(\w+)":', json.dumps(template)))
    concerned = [text for text in LIMITS if settings & set(re.findall(r"`([A-Z]\w+)`", text))]
    assert concerned
    assert not [text for text in concerned if not named_tests(text)]


def test_every_test_that_a_limit_names_is_there() -> None:
    named = [pair for text in LIMITS for pair in named_tests(text)]
    assert len(named) == sum(len(re.findall(r"`test_", text)) for text in LIMITS)
    for name, path in named:
        assert f"def {name}(" in (CHECKOUT / path).read_text(), name
