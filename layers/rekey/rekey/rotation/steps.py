"""From the name of a step to the step."""

from typing import assert_never

from rekey.model import Step, StepResult, WorkflowStep
from rekey.rotation.context import Rotation
from rekey.rotation.create_secret import create_secret
from rekey.rotation.diagnose import diagnose
from rekey.rotation.finish_secret import finish_secret
from rekey.rotation.restore import restore
from rekey.rotation.retire import retire
from rekey.rotation.roll_back import roll_back
from rekey.rotation.roll_forward import roll_forward
from rekey.rotation.set_secret import set_secret
from rekey.rotation.test_secret import test_secret
from rekey.rotation.verify import verify


def run(rotation: Rotation) -> StepResult:
    """Carry out the step that was asked for. Raises RekeyError; harmless to repeat."""
    step = rotation.request.step
    return _rotate(rotation, step) if isinstance(step, Step) else _work(rotation, step)


def _rotate(rotation: Rotation, step: Step) -> StepResult:
    match step:
        case Step.CREATE:
            return create_secret(rotation)
        case Step.SET:
            return set_secret(rotation)
        case Step.TEST:
            return test_secret(rotation)
        case Step.FINISH:
            return finish_secret(rotation)
        case _:
            assert_never(step)


def _work(rotation: Rotation, step: WorkflowStep) -> StepResult:
    match step:
        case WorkflowStep.RETIRE:
            return retire(rotation)
        case WorkflowStep.DIAGNOSE:
            return diagnose(rotation)
        case WorkflowStep.VERIFY:
            return verify(rotation)
        case WorkflowStep.ROLL_FORWARD:
            return roll_forward(rotation)
        case WorkflowStep.ROLL_BACK:
            return roll_back(rotation)
        case WorkflowStep.RESTORE:
            return restore(rotation)
        case _:
            assert_never(step)
