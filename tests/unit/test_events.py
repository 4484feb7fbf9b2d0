"""The sample events are what the handlers understand."""

import json
from pathlib import Path

import pytest

from rekey.model import Step, WorkflowStep
from rekey.request import parse_request

EVENTS = Path(__file__).parents[2] / "events"
FOLDERS = sorted(EVENTS.glob("rotate_*"))


@pytest.mark.parametrize(
    "path",
    sorted(EVENTS.glob("rotate_*/*.json")),
    ids=lambda path: f"{path.parent.stem}-{path.stem}",
)
def test_a_sample_event_is_the_step_that_its_name_says(path: Path) -> None:
    event = json.loads(path.read_text())
    request = parse_request(event)
    first, *words = path.stem.removesuffix("_with_rotation_token").split("_")
    assert request.step == first + "".join(word.title() for word in words)
    assert request.rotation_token == event.get("RotationToken")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_step_has_a_sample_event(folder: Path) -> None:
    steps = {json.loads(path.read_text())["Step"] for path in folder.glob("*.json")}
    assert steps == {*Step, *WorkflowStep}
