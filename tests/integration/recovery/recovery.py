"""What the state machine does with the function, step by step, on a real server."""

from dataclasses import dataclass, field

from rekey.credential import Credential
from rekey.model import (
    Circumstances,
    Happened,
    Label,
    Outcome,
    Step,
    StepResult,
    Strategy,
    WorkflowStep,
)
from tests.database import new_password
from tests.world import ARN, SUPERUSER_ARN, World

STEPS = list(Step)
MOST_REPEATS = 3


@dataclass
class Broken:
    """A secret, what becomes of its rotation, and its recovery."""

    world: World
    strategy: Strategy
    done: list[str] = field(default_factory=list)

    def version(self, label: Label) -> str:
        return self.world.secret.holder(label) or ""

    def password(self, version: str) -> str:
        return self.credential(version)[1]

    def credential(self, version: str) -> tuple[str, str]:
        found = Credential.parse(self.world.secret.values[version] or "", what=version)
        return found.username, found.password

    def works(self, version: str) -> bool:
        return self.world.server.logs_in(*self.credential(version))

    @property
    def user(self) -> str:
        """The one that AWSCURRENT names."""
        return self.credential(self.version(Label.CURRENT))[0]

    def change_behind_its_back(self) -> None:
        """Somebody gives the user of AWSCURRENT another password."""
        self.world.server.change_password(self.user, new_password())

    def rotate_until(self, last: Step, token: str | None = None) -> str:
        """A rotation whose function is killed after ``last``; its token."""
        token = self.world.start(token)
        for step in STEPS[: STEPS.index(last) + 1]:
            self.world.step(step, token)
        return token

    def go_through(self, token: str) -> None:
        """All steps, as Secrets Manager asks for them."""
        for step in STEPS:
            self.world.step(step, token)

    def diagnose(
        self,
        token: str,
        happened: Happened = Happened.SET_FAILED,
        *,
        last_look: bool = False,
        refused: frozenset[Label] = frozenset(),
    ) -> StepResult:
        known = Circumstances(happened, last_look=last_look, failures=1, refused=refused)
        return self.world.step(WorkflowStep.DIAGNOSE, token, circumstances=known)

    def recover(self, token: str, happened: Happened = Happened.SET_FAILED) -> str:
        """Diagnose, act, verify; the action."""
        found = self.diagnose(token, happened).facts
        action = found["action"]
        match action:
            case "clear":
                self.world.step(WorkflowStep.CLEAR, found["pendingVersionId"])
            case "rollForward":
                self.world.step(WorkflowStep.ROLL_FORWARD, found["pendingVersionId"])
            case "rollBack":
                self.roll_back(found["currentVersionId"])
            case "restore":
                self.world.step(WorkflowStep.RESTORE, found["currentVersionId"])
        if action in ("clear", "rollForward", "rollBack", "restore"):
            self.verify()
        return action

    def roll_back(self, bad: str) -> list[Outcome]:
        """Ask until labels and server agree; what each call did."""
        outcomes: list[Outcome] = []
        while Outcome.NOTHING_TO_DO not in outcomes and len(outcomes) < MOST_REPEATS:
            outcomes.append(self.world.step(WorkflowStep.ROLL_BACK, bad).outcome)
        return outcomes

    def verify(self) -> None:
        self.world.step(WorkflowStep.VERIFY, self.version(Label.CURRENT))

    def let_restore(self, *names: str) -> None:
        """Tag the superuser's secret."""
        self.world.store.secrets[SUPERUSER_ARN].tags["rekey:may-restore"] = " ".join(names)

    @property
    def leave(self) -> str:
        """What the tag must hold for the user of this secret."""
        return f"{self.user}@app"

    def settled(self) -> bool:
        return self.world.settled()

    def give_up(self) -> None:
        """Secrets Manager abandons the rotation."""
        self.world.store.end_rotation(ARN)
