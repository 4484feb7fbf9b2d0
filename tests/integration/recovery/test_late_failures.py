"""A failure of which is told once more, after its rotation has come to an end."""

import pytest

from rekey.model import Happened, Label, Step
from tests.integration.recovery.recovery import Broken

TOLD = (Happened.SET_FAILED, Happened.TEST_FAILED, Happened.FINISH_FAILED)


@pytest.mark.parametrize("happened", TOLD)
def test_a_rotation_that_was_finished_since_is_not_repeated(
    each_strategy: Broken, happened: Happened
) -> None:
    token = each_strategy.rotate_until(Step.SET)
    assert each_strategy.recover(token, Happened.TEST_FAILED) in ("rollForward", "clear")
    each_strategy.world.rotate()
    for version in (each_strategy.version(Label.CURRENT), each_strategy.version(Label.PREVIOUS)):
        facts = each_strategy.diagnose(version, happened).facts
        assert (facts["action"], facts["afterwards"]) == ("nothing", "nothing")
