"""What docs/strategies.md says, held to the code."""

import re

from local.demo.scenes import PROMISED_CALLS
from rekey.model import Outcome, Strategy
from rekey.rotation.retirement import HOLD_TAG
from rekey.rotation.strategy import HOSTS_TAG, TAG
from tests.documents import document, rows, section

PAGE = document("strategies.md")
OF_OTHER_STEPS = {Outcome.DONE, Outcome.NOTHING_TO_DO, Outcome.ROTATING, Outcome.ENDED}


def anchor_of(heading: str) -> str:
    """The rule of the sites that show Markdown."""
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


def test_every_strategy_is_compared_with_the_calls_that_it_makes() -> None:
    compared = "| |" + section(PAGE, "## Choose").partition("\n| |")[2]
    (calls,) = [row for row in rows(compared) if row[""].startswith("calls to Secrets Manager")]
    assert {name: int(count) for name, count in calls.items() if name} == PROMISED_CALLS
    assert set(PROMISED_CALLS) == {str(strategy) for strategy in Strategy}


def test_every_answer_of_the_retirement_is_explained() -> None:
    explained = {row["outcome"] for row in rows(section(PAGE, "### Retire by hand"))}
    assert explained == {str(outcome) for outcome in set(Outcome) - OF_OTHER_STEPS}


def test_tags_are_those_that_the_code_reads() -> None:
    assert set(re.findall(r"`(rekey:[a-z-]+)`", PAGE)) == {TAG, HOSTS_TAG, HOLD_TAG}


def test_links_lead_to_headings_that_exist() -> None:
    for name, anchor in re.findall(r"\]\(([a-z-]*(?:\.md)?)#([a-z0-9-]+)\)", PAGE):
        found = re.findall(r"^#+ (.+)$", document(name) if name else PAGE, re.MULTILINE)
        assert anchor in map(anchor_of, found)
