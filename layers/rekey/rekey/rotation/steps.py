"""From the name of a step to the step."""

from collections.abc import Callable, Mapping

from rekey.model import Step, StepResult, WorkflowStep
from rekey.rotation.check import check
from rekey.rotation.clear import clear
from rekey.rotation.context import Rotation
from rekey.rotation.create_secret import create_secret
from rekey.rotation.diagnose import diagnose
from rekey.rotation.finish_secret import finish_secret
from rekey.rotation.follow import follow
from rekey.rotation.restore import restore
from rekey.rotation.retire import retire
from rekey.rotation.roll_back import roll_back
from rekey.rotation.roll_forward import roll_forward
from rekey.rotation.set_secret import set_secret
from rekey.rotation.survey import survey
from rekey.rotation.test_secret import test_secret
from rekey.rotation.verify import verify

STEPS: Mapping[Step | WorkflowStep, Callable[[Rotation], StepResult]] = {
    Step.CREATE: create_secret,
    Step.SET: set_secret,
    Step.TEST: test_secret,
    Step.FINISH: finish_secret,
    WorkflowStep.RETIRE: retire,
    WorkflowStep.DIAGNOSE: diagnose,
    WorkflowStep.VERIFY: verify,
    WorkflowStep.CLEAR: clear,
    WorkflowStep.ROLL_FORWARD: roll_forward,
    WorkflowStep.ROLL_BACK: roll_back,
    WorkflowStep.RESTORE: restore,
    WorkflowStep.CHECK: check,
    WorkflowStep.FOLLOW: follow,
    WorkflowStep.SURVEY: survey,
}


def run(rotation: Rotation) -> StepResult:
    """Carry out the step that was asked for. Raises RekeyError; harmless to repeat."""
    return STEPS[rotation.request.step](rotation)
