"""docs/scale.md shows what the code computes, and what the workflow takes."""

import itertools
import json

from benchmarks.scale import PATH, table
from local.toolchain import CHECKOUT
from rekey.campaign import Became, Settings
from rekey.campaign.settings import KEYS
from tests.documents import document, rows, section

PAGE = document("scale.md")


def test_the_table_of_the_document_is_what_the_command_prints() -> None:
    assert "\n".join(table()) in PAGE


def test_every_setting_is_explained_with_its_default() -> None:
    explained = {
        row["key"]: row["default"] for row in rows(section(PAGE, "## What can be asked for"))
    }
    defaults = Settings().document()
    assert set(explained) == KEYS
    for key in ("maxConcurrency", "maxPerHost", "soakSeconds", "onFailure"):
        assert explained[key] == str(defaults[key])


def test_everything_that_can_become_of_a_secret_is_explained() -> None:
    explained = {row["became"] for row in rows(section(PAGE, "## What comes out"))}
    assert explained == {str(became) for became in Became}


def test_the_path_that_is_billed_is_one_through_the_workflow() -> None:
    machine = json.loads((CHECKOUT / "statemachines" / "rotate.asl.json").read_text())
    states = machine["States"]["RotateEach"]["ItemProcessor"]["States"]
    assert states[PATH[-1]]["Type"] == "Succeed"
    for name, following in itertools.pairwise(PATH):
        assert f'"{following}"' in json.dumps(states[name]), name
