from rekey.model import Step, WorkflowStep
from rekey.rotation.steps import STEPS


def test_every_step_that_may_be_asked_for_is_carried_out() -> None:
    assert set(STEPS) == {*Step, *WorkflowStep}
