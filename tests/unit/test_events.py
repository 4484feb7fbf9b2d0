"""The sample events are what the handlers understand."""

import json
from pathlib import Path

import pytest

from rekey.model import Step
from rekey.request import parse_request

FOLDER = Path(__file__).parents[2] / "events" / "rotate_postgresql"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_a_sample_event_is_the_step_that_its_name_says(path: Path) -> None:
    event = json.loads(path.read_text())
    request = parse_request(event)
    words = path.stem.removesuffix("_with_rotation_token").split("_")
    assert request.step == words[0] + words[1].title()
    assert request.rotation_token == event.get("RotationToken")


def test_every_step_has_a_sample_event() -> None:
    steps = {json.loads(path.read_text())["Step"] for path in FOLDER.glob("*.json")}
    assert steps == set(Step)
