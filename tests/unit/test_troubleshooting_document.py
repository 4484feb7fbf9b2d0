"""Every error that an operator may see has its heading, and no heading is about none."""

import re

from rekey import errors
from tests.documents import document, headings

TEXT = document("troubleshooting.md")
NAMED = re.compile(r"([A-Za-z]+): ")
"""A heading that begins with the name of a class."""


def classes() -> dict[str, type[errors.RekeyError]]:
    return {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.RekeyError)
    }


def leaves() -> set[str]:
    parents = {base for value in classes().values() for base in value.__mro__[1:]}
    return {name for name, value in classes().items() if value not in parents}


def test_every_error_has_its_heading_and_every_heading_of_a_class_names_an_existing_one() -> None:
    named = [match[1] for match in map(NAMED.match, headings(TEXT, "###")) if match]
    assert sorted(named) == sorted(leaves())


def test_no_symptom_is_without_advice() -> None:
    sections = re.split(r"^### .+$", TEXT, flags=re.MULTILINE)[1:]
    assert all(len(section.split("\n## ")[0].split()) > 3 for section in sections)


def test_links_lead_to_headings_that_exist() -> None:
    for source in ("troubleshooting.md", "permissions.md", "migrate-from-aws-templates.md"):
        for name, anchor in re.findall(r"\]\(([\w-]+\.md)(?:#([\w-]+))?\)", document(source)):
            anchors = {_anchor(heading) for heading in headings(document(name), "#+")}
            assert not anchor or anchor in anchors, (source, name, anchor)


def _anchor(heading: str) -> str:
    """As GitHub makes them."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
