"""Anything in any order: several secrets, their rotations, what breaks, and what operators do.

The enumeration breaks one rotation at one place. Here hypothesis puts many troubles together, and
shrinks what fails to the few that are needed; it prints them as calls that run alone.
"""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from rekey.model import Label, Outcome, Step, Strategy, WorkflowStep
from tests.faults.catalogue import CATALOGUE, Trouble, superuser_rotates, value_put_by_hand
from tests.faults.effects import Effect, Effects
from tests.faults.preparation import prepared
from tests.faults.schedule import Schedule
from tests.faults.target import RIGHTS, Target
from tests.faults.targets import ENGINES
from tests.world import ARN

MOST_SECRETS = 3
STEPS = list(Step)
SLOW = {"server restarts"}
TROUBLES = {trouble.name: trouble for trouble in CATALOGUE if trouble.name not in SLOW}


class Rotations(RuleBasedStateMachine):
    """Secrets on one server. Hypothesis chooses what happens; the invariants hold throughout."""

    target: ClassVar[Target]
    secrets: Bundle[Schedule] = Bundle("secrets")

    def __init__(self) -> None:
        super().__init__()
        self.undo = ExitStack()
        self.effects = Effects()
        self.undo.enter_context(self.target.observed(self.effects))
        self.schedules: list[Schedule] = []
        self.touched: list[Schedule] = []
        self.reached: dict[str, int] = {}
        """How many steps of a token have gone well."""

    @precondition(lambda self: len(self.schedules) < MOST_SECRETS)
    @rule(target=secrets, number=st.integers(0, len(Strategy) - 1))
    def create_a_secret(self, number: int) -> Schedule:
        strategies = ENGINES[self.target.name].strategies
        context = prepared(self.target, self.effects, strategies[number % len(strategies)])
        schedule = self.undo.enter_context(context)
        schedule.begin()
        self.schedules.append(schedule)
        return schedule

    # What Secrets Manager does

    @rule(secret=secrets)
    def go_on(self, secret: Schedule) -> None:
        """The next step of the rotation, or the first one of a new rotation."""
        if secret.world.secret.holder(Label.PENDING) != secret.token:
            self._start(secret)
        self._step(secret, STEPS[self.reached.get(secret.token, 0)])

    @rule(secret=secrets)
    def rotate(self, secret: Schedule) -> None:
        """A whole attempt, from createSecret on, as the service repeats one."""
        if secret.world.secret.holder(Label.PENDING) != secret.token:
            self._start(secret)
        for step in STEPS:
            if not self._step(secret, step):
                return

    @rule(secret=secrets, number=st.integers(0, 3))
    def repeat_a_step(self, secret: Schedule, number: int) -> None:
        """One that came before is invoked once more."""
        if number < self.reached.get(secret.token, 0):
            secret.invoke(STEPS[number], secret.token)
            self.touched.append(secret)

    @rule(secret=secrets, name=st.sampled_from(list(TROUBLES)), later=st.integers(0, 12))
    def break_a_step(self, secret: Schedule, name: str, later: int) -> None:
        """The next step, with the trouble of that name at one of its effects."""
        trouble = TROUBLES[name]
        if trouble.only_with_superuser and secret.strategy is Strategy.SINGLE_USER:
            return
        secret.excused += 1
        self.effects.at = len(self.effects.seen) + later
        self.effects.fault = _where_it_fits(trouble, secret)
        try:
            self.go_on(secret)
        finally:
            self.effects.at = self.effects.fault = None

    @rule(secret=secrets)
    def abandon(self, secret: Schedule) -> None:
        """The service, or an operator, takes AWSPENDING off."""
        secret.store.end_rotation(ARN)
        self.touched.append(secret)

    @rule(secret=secrets)
    def retire(self, secret: Schedule) -> None:
        """What the workflow asks for, whatever the strategy."""
        current = secret.world.secret.holder(Label.CURRENT) or ""
        before = secret.world.credential(Label.CURRENT)
        done = secret.invoke(WorkflowStep.RETIRE, current)
        self.touched.append(secret)
        if done and secret.outcome is Outcome.RETIRED:
            assert secret.world.credential(Label.CURRENT) == before

    # What operators do

    @rule(secret=secrets)
    def cancel(self, secret: Schedule) -> None:
        """CancelRotateSecret turns rotation off and leaves AWSPENDING where it is."""
        secret.world.secret.rotation_enabled = False

    @rule(secret=secrets)
    def put_a_value(self, secret: Schedule) -> None:
        """They change the password and store it."""
        self._happen(secret, value_put_by_hand(secret))

    @rule(secret=secrets)
    def rotate_the_superuser(self, secret: Schedule) -> None:
        """Its password changes, in its secret and on the server."""
        self._happen(secret, superuser_rotates(secret))

    @rule(secret=secrets, number=st.integers(0, RIGHTS - 1))
    def grant(self, secret: Schedule, number: int) -> None:
        """The base user gets a right."""
        self.target.grant(secret.server, number)

    @rule(secret=secrets, number=st.integers(0, RIGHTS - 1))
    def revoke(self, secret: Schedule, number: int) -> None:
        """The base user loses it again."""
        self.target.revoke(secret.server, number)

    @rule(secret=secrets, right=st.booleans())
    def change_the_superusers_rights(self, secret: Schedule, right: bool) -> None:
        """It may do what rotations need, or no longer."""
        self.target.empower(secret.server, _superuser(secret), enough=right)

    @precondition(lambda self: self.schedules)
    @rule(really=st.integers(0, 9))
    def restart_the_server(self, really: int) -> None:
        """Now and then: it takes longer than the rest."""
        if really == 0:
            self.schedules[0].server.own.restart()
            self.touched.extend(self.schedules)

    # What must hold

    @invariant()
    def nobody_is_locked_out(self) -> None:
        """Checked where something has happened since."""
        for schedule in {id(one): one for one in self.touched}.values():
            assert schedule.violations() == [], schedule.told
        self.touched.clear()

    def teardown(self) -> None:
        """With the troubles over, one more rotation of every secret ends right."""
        try:
            for schedule in self.schedules:
                self._repair(schedule)
                schedule.store.end_rotation(ARN)
                self._start(schedule)
                schedule.former = schedule.world.secret.holder(Label.CURRENT)
                assert schedule.run() == [], schedule.told
        finally:
            self.undo.close()

    def _repair(self, schedule: Schedule) -> None:
        schedule.world.secret.rotation_enabled = True
        current = schedule.world.credential(Label.CURRENT)
        in_use = current is not None and current.username == schedule.server.clone
        self.target.repair(schedule.server, _superuser(schedule), clone_in_use=in_use)

    def _start(self, secret: Schedule) -> None:
        secret.world.secret.rotation_enabled = True
        secret.token = secret.world.start()

    def _step(self, secret: Schedule, step: Step) -> bool:
        self.touched.append(secret)
        done = secret.invoke(step, secret.token)
        # A step that fails makes the service begin again.
        self.reached[secret.token] = STEPS.index(step) + 1 if done else 0
        if done and step is Step.FINISH:
            secret.store.end_rotation(ARN)
        return done

    def _happen(self, secret: Schedule, fault: Callable[[Effect, Callable[[], Any]], Any]) -> None:
        self.touched.append(secret)
        fault(self.effects.seen[-1] if self.effects.seen else NOTHING, lambda: None)


def _superuser(schedule: Schedule) -> str:
    return f"{schedule.server.base}_admin"


def histories(number: int, *, always_the_same: bool = False) -> settings:
    """So many of them, of twenty events each."""
    return settings(
        max_examples=number,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=always_the_same,
        database=None,
    )


NOTHING: Any = None


def _where_it_fits(trouble: Trouble, secret: Schedule) -> Callable[[Effect, Any], Any]:
    fault = trouble.make(secret)

    def maybe(effect: Effect, do: Callable[[], Any]) -> Any:
        return fault(effect, do) if effect.kind in trouble.kinds else do()

    return maybe
