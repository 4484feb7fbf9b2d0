"""What else than a rotation is driven while something breaks."""

from dataclasses import dataclass
from typing import ClassVar

from rekey.model import Label, Outcome, Strategy, WorkflowStep
from tests.database import new_password
from tests.faults.schedule import ATTEMPTS, Schedule
from tests.world import ARN

RETIRED = frozenset({Outcome.RETIRED, Outcome.SUPERSEDED})
"""There is nothing more to do then."""


@dataclass
class Retirement(Schedule):
    """What follows a rotation that left two passwords, as the workflow drives it."""

    def begin(self) -> None:
        """Rotate; the promotion of that version is what starts the workflow."""
        for _ in range(self.rotations_before):
            self.token = self.world.rotate()

    def attempt(self, wrong: list[str]) -> bool:
        """One try of the workflow; whether it is over."""
        done = self.invoke(WorkflowStep.RETIRE, self.token)
        wrong += [f"retire: {what}" for what in self.violations()]
        return done and self.outcome in RETIRED

    def next_token(self) -> None:
        """What made it wait is over. If something newer was promoted, that is what counts."""
        self.world.secret.rotation_enabled = True
        self.store.end_rotation(ARN)
        self.token = self.world.secret.holder(Label.CURRENT) or self.token

    def ended_wrong(self) -> list[str]:
        """Only AWSCURRENT logs in, unless another promotion came in between."""
        wrong = self.unsettled()
        previous = self.world.credential(Label.PREVIOUS)
        newer = self.world.secret.holder(Label.CURRENT) != self.token
        if self.outcome is Outcome.RETIRED and previous is not None and not newer:
            with self.effects.aside():
                if self.server.logs_in(previous.username, previous.password):
                    wrong.append("not retired: AWSPREVIOUS logs in")
        return wrong


@dataclass
class FormerlyDual(Schedule):
    """The first rotation after the tag has changed from dual-password: the user has two."""

    names_superuser: ClassVar[bool] = True

    def begin(self) -> None:
        self.world.secret.tags["rekey:strategy"] = Strategy.DUAL_PASSWORD
        self.world.rotate()
        self.world.secret.tags["rekey:strategy"] = self.strategy
        super().begin()


@dataclass
class Refused(Schedule):
    """A rotation of a user whose password nobody knows: how often it is tried all the same.

    Nothing else can be asked of it: no version logs in, and no attempt ends right.
    """

    def begin(self) -> None:
        super().begin()
        self.server.change_password(self.forgotten(), new_password())

    def forgotten(self) -> str:
        """Whose password it is."""
        return self.server.base

    def look(self, when: str) -> None:
        """Nobody gets in anyway."""

    def run(self) -> list[str]:
        """The service repeats the rotation."""
        for _ in range(2 * ATTEMPTS):
            over = self.attempt([])
            if self.after_first_attempt is not None:
                self.after_first_attempt()
            if over:
                break
            self.next_token()
        return [*self.leaked(), *self.refused()]


class RefusedSuperuser(Refused):
    """It is the superuser's password that nobody knows."""

    def forgotten(self) -> str:
        return f"{self.server.base}_admin"
