"""docs/operations.md has a runbook for every kind, and describes the JSON as it is."""

import re
from datetime import timedelta

from rekey.alerts.crowds import LONGEST, QUIET
from rekey.alerts.document import SCHEMA, document
from rekey.alerts.finding import MOST_COUNTED, OWNER_TAGS
from rekey.alerts.kinds import KINDS, Kind
from rekey.alerts.troubles import LATE, LINGERING
from rekey.crowd import NAMED, ONE_BY_ONE
from tests.documents import document as page
from tests.documents import headings, rows, section
from tests.unit.alerts.findings import FINDING

TEXT = page("operations.md")
RUNBOOKS = section(TEXT, "## Runbooks")


def runbooks() -> dict[str, str]:
    """The text below each heading."""
    titles = headings(RUNBOOKS, "###")
    texts = re.split(r"^### .+$", RUNBOOKS, flags=re.MULTILINE)[1:]
    return dict(zip(titles, texts, strict=True))


def test_every_kind_has_its_runbook_and_every_runbook_its_kind() -> None:
    assert list(runbooks()) == [KINDS[kind].title for kind in Kind]


def test_a_runbook_begins_with_its_kind_and_names_its_usual_severity() -> None:
    for kind, text in zip(Kind, runbooks().values(), strict=True):
        first = text.strip().split(".")[0]
        assert first.startswith(f"`{kind.value}`")
        assert KINDS[kind].severity.value in " ".join(text.split())[:200], kind


def test_the_table_of_keys_is_that_of_the_json() -> None:
    described = [row["key"] for row in rows(section(TEXT, "## The JSON of a finding"))]
    assert described == list(document(FINDING))
    assert SCHEMA in TEXT


def test_numbers_and_tags_in_the_text_are_those_of_the_code() -> None:
    plain = " ".join(TEXT.split())
    assert f"counted up to {MOST_COUNTED}" in plain
    assert all(f"`{tag}`" in plain for tag in OWNER_TAGS)
    assert (LATE.seconds, LINGERING.seconds) == (2 * 3600, 4 * 3600)
    assert "late by less than two hours" in plain
    assert (timedelta(minutes=10), timedelta(hours=1), 10) == (QUIET, LONGEST, NAMED)
    assert f"the first {ONE_BY_ONE} messages of a day" in plain
    assert "ten names" in plain
    assert "ten minutes have brought no other one, or after an hour" in plain
    assert "stands for less than four" in plain
