"""What docs/architecture.md says of staging labels, held to the code."""

import re

from rekey.model import Label
from tests.documents import document, rows, section

LABELS = section(document("architecture.md"), "### The intent is written first, and survives")
OF_AWS = {Label.CURRENT, Label.PENDING, Label.PREVIOUS}
OURS = set(Label) - OF_AWS


def test_every_label_of_ours_is_explained() -> None:
    explained = [label for row in rows(LABELS) for label in row["label"].split(", ")]
    assert sorted(explained) == sorted(OURS)


def test_the_labels_are_counted() -> None:
    (told,) = re.findall(r"it has three of its own, and Rekey (\w+)\.", LABELS)
    numbers = ["nine", "ten", "eleven", "twelve", "thirteen"]
    assert dict(enumerate(numbers, 9))[len(OURS)] == told
