"""From the name of a step to the step."""

from typing import assert_never

from rekey.model import Step, StepResult, WorkflowStep
from rekey.rotation.context import Rotation
from rekey.rotation.create_secret import create_secret
from rekey.rotation.finish_secret import finish_secret
from rekey.rotation.retire import retire
from rekey.rotation.set_secret import set_secret
from rekey.rotation.test_secret import test_secret


def run(rotation: Rotation) -> StepResult:
    """Carry out the step that was asked for. Raises RekeyError; harmless to repeat."""
    match rotation.request.step:
        case Step.CREATE:
            return create_secret(rotation)
        case Step.SET:
            return set_secret(rotation)
        case Step.TEST:
            return test_secret(rotation)
        case Step.FINISH:
            return finish_secret(rotation)
        case WorkflowStep.RETIRE:
            return retire(rotation)
        case _:
            assert_never(rotation.request.step)
