"""One rotation with one fault at one effect, what the service does next, and what must hold."""

import copy
import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from rekey.credential import Credential
from rekey.errors import RekeyError
from rekey.model import Label, Outcome, Step, StepResult, Strategy, WorkflowStep
from rekey.passwords import PasswordRules
from tests.database import Server
from tests.faults.effects import Effect, Effects, Killed, Kind
from tests.faults.leaks import leaks
from tests.faults.target import Target
from tests.faults.watched_store import WatchedStore
from tests.world import ARN, World, new_token

ATTEMPTS = 2
"""The one in which something breaks, and one more."""

ALLOWED_REFUSALS = 2


@dataclass
class Schedule:
    """A rotation of a fresh user, driven as Secrets Manager drives it."""

    target: Target
    server: Server
    effects: Effects
    strategy: Strategy
    rotations_before: int = 0
    token: str = field(default_factory=new_token)
    told: list[str] = field(default_factory=list)
    """What an operator gets to see: results and errors."""
    traces: list[str] = field(default_factory=list)
    passwords: set[str] = field(default_factory=set)
    """Every one that was ever made or stored, the superuser's included."""
    excused: int = 0
    """How many refused logins what has gone wrong may keep from being counted."""
    reached: Server | None = None
    """The server as the function reaches it, if that is not the direct way."""
    after_first_attempt: Callable[[], None] | None = None
    names_superuser: ClassVar[bool] = False
    """Whether the secret does so whatever the strategy."""

    def __post_init__(self) -> None:
        self.store = WatchedStore(self.effects)
        reached = self.reached or self.server
        alternating = self.names_superuser or self.strategy is not Strategy.SINGLE_USER
        self.world = World(reached, alternating=alternating, store=self.store)
        self.world.secret.tags["rekey:strategy"] = self.strategy
        self.world.new_password = self._new_password
        self.passwords.add(self.server.address.password)
        self.former: str | None = None
        self.running: Step | WorkflowStep | None = None
        self.by_hand = False
        """Whether an operator has changed the password and stored it within this step."""
        self.seen_meanwhile: list[str] = []
        self.outcome: Outcome | None = None

    @property
    def uninterrupted(self) -> bool:
        """Whether the strategy promises that AWSCURRENT itself always logs in."""
        return self.strategy is not Strategy.SINGLE_USER

    def begin(self) -> None:
        """Rotate as often as it was asked for, so that the first read can be a late one; start."""
        for _ in range(self.rotations_before):
            self.world.rotate()
        if self.rotations_before and self.strategy is Strategy.ALTERNATING_USERS:
            current = self.world.credential(Label.CURRENT)
            in_use = current is not None and current.username == self.server.clone
            self.target.change_rights(self.server, clone_in_use=in_use)
        self.world.start(self.token)
        if not self.rotations_before:
            self.store.before = copy.deepcopy(self.store.secrets)
        self.former = self.world.secret.holder(Label.CURRENT)

    def run(self) -> list[str]:
        """Run until it has ended right; what did not hold, in words. Empty is good."""
        wrong: list[str] = []
        for _ in range(ATTEMPTS):
            over = self.attempt(wrong)
            if self.after_first_attempt is not None:
                self.after_first_attempt()
            if over:
                break
            self.next_token()
        else:
            wrong.append(f"not converged after {ATTEMPTS} attempts")
        if self.after_first_attempt is not None:  # Else nothing has happened since the last look.
            wrong += self.violations()
        wrong += self.stray()
        self.store.end_rotation(ARN)
        wrong += self.ended_wrong()
        return wrong

    def attempt(self, wrong: list[str]) -> bool:
        """One try of the service, from createSecret; whether every step went well."""
        for step in Step:
            done = self.invoke(step, self.token)
            wrong += [f"{step.value}: {what}" for what in self.violations()]
            if not done:
                return False
        return True

    def invoke(self, step: Step | WorkflowStep, token: str) -> bool:
        """One invocation of the function; False if it failed or was killed."""
        self.running, self.by_hand = step, False
        self.effects.changed = self._after
        try:
            with self.effects.on_behalf_of(token), self.effects.watching():
                result = self.told_by(step, token)
        except Killed:
            return False
        if result is None:
            return False
        self.outcome = result.outcome
        return True

    def told_by(self, step: Step | WorkflowStep, token: str) -> StepResult | None:
        """The result of a step, which an operator sees; None if it failed, with what they see."""
        self.learn_secrets()
        try:
            result = self.world.step(step, token)
        except RekeyError as error:
            self.told.append(f"{type(error).__name__}: {error}")
            self.traces.append("".join(traceback.format_exception(error)))
            return None
        self.told.append(f"{step.value}: {result}")
        return result

    def learn_secrets(self) -> None:
        """Look for these from now on, whatever is stored in their place."""
        for secret in self.store.secrets.values():
            values = (value for value in secret.values.values() if value is not None)
            self.passwords.update(json.loads(value)["password"] for value in values)

    def _new_password(self) -> str:
        password = PasswordRules().generate()
        self.passwords.add(password)
        return password

    def next_token(self) -> None:
        """RotateSecret: goes on with the pending version, or starts anew if that is gone."""
        self.world.secret.rotation_enabled = True
        if self.world.secret.holder(Label.PENDING) != self.token:
            self.former = self.world.secret.holder(Label.CURRENT)
            self.token = self.world.start()

    # What must hold

    def _after(self, effect: Effect) -> None:
        """Look between two effects of a step too, where a login or a label may have changed."""
        on_the_server = effect.kind is Kind.STATEMENT and self.target.changes_a_login(effect.name)
        if on_the_server or effect.kind is Kind.WRITE:
            self.look(f"effect {effect.number}")

    def look(self, when: str) -> None:
        """Note what is wrong at this instant of a step.

        What an operator changes in the moment before our statement is given back after it.
        """
        with self.effects.aside():
            lost = self._lost()
            current = self.uninterrupted and not self.by_hand
            if lost is None and not self._somebody_gets_in(current=current):
                self.seen_meanwhile.append(f"{when}: locked out in the middle of a step")
            self.seen_meanwhile += [f"{when}: {what}" for what in lost or ()]

    def _somebody_gets_in(self, *, current: bool) -> bool:
        labels = self.world.secret.labels
        wanted = {Label.CURRENT} if current else set(Label)
        return any(labels[one] & wanted and self._logs_in(one) for one in list(labels))

    def _lost(self) -> list[str] | None:
        """What the applications could do from the beginning, and AWSCURRENT cannot do now.

        None if AWSCURRENT does not log in, which is worse, or was not asked.
        """
        current = self.world.credential(Label.CURRENT)
        if current is None or self.strategy is not Strategy.ALTERNATING_USERS:
            return None
        lacking = self.target.lacks(self.server, current)
        return None if lacking is None else [f"AWSCURRENT may not {what}" for what in lacking]

    def violations(self) -> list[str]:
        """What does not hold at this instant."""
        self.learn_secrets()
        with self.effects.aside():
            lost, holder = self._lost(), self.world.secret.holder(Label.CURRENT)
            live = [
                version
                for version in self.world.secret.values
                if (version == holder and lost is not None) or self._logs_in(version)
            ]
            wrong, self.seen_meanwhile = self.seen_meanwhile, []
            if not any(self.world.secret.labels.get(version) for version in live):
                wrong.append("locked out: no labelled version logs in")
            if self.uninterrupted and holder not in live:
                wrong.append("locked out: AWSCURRENT does not log in")
            wrong += lost or ()
        wrong += [
            f"{version} is live without a label"
            for version in live
            if not self.world.secret.labels.get(version)
            and not self._labelled_twin(version)
            and self._in_use(version)
        ]
        return [*wrong, *self.leaked(), *self.refused()]

    def leaked(self) -> list[str]:
        """What an operator was told, or may find in a log, that holds a secret."""
        texts = (*self.told, *self.traces)
        return [f"leaked: {text}" for text in texts if leaks(text, self.passwords)]

    def refused(self) -> list[str]:
        """Which accounts a lock-out policy may have locked."""
        return [
            f"{count} refused logins of {username}"
            for (_, username), count in self.effects.refused.items()
            if count > ALLOWED_REFUSALS + self.excused and username.startswith(self.server.base)
        ]

    def stray(self) -> list[str]:
        """The service takes AWSPENDING off the version that was promoted, and off no other."""
        pending = self.world.secret.holder(Label.PENDING)
        if pending in (None, self.world.secret.holder(Label.CURRENT)):
            return []
        return ["not converged: AWSPENDING stands on a version of its own"]

    def ended_wrong(self) -> list[str]:
        """What is not right now that it is over."""
        wrong = self.unsettled()
        if self.world.secret.holder(Label.CURRENT) == self.former:
            wrong.append("the rotation left the former version current")
        if self.former not in (None, self.world.secret.holder(Label.PREVIOUS)):
            wrong.append("not converged: AWSPREVIOUS is not the former current version")
        return wrong

    def unsettled(self) -> list[str]:
        """AWSCURRENT logs in with the right rights, and AWSPENDING stands nowhere else."""
        with self.effects.aside():
            holder = self.world.secret.holder(Label.CURRENT)
            # Not through what stands between function and server: its places are the function's.
            if holder is None or self.world.secret.holder(Label.PENDING) is not None:
                return ["not settled: AWSPENDING"]
            lost = self._lost()
            if lost is None and not self._logs_in(holder):
                return ["not settled: AWSCURRENT does not log in"]
            current = self.world.credential(Label.CURRENT)
            if current is None or self.strategy is not Strategy.ALTERNATING_USERS:
                return []
            return [*(lost or ()), *self.target.differs(self.server, current)]

    def _logs_in(self, version: str) -> bool:
        value = self.world.secret.values[version]
        if value is None:
            return False
        credential = Credential.parse(value, what=version)
        return self.server.logs_in(credential.username, credential.password)

    def _labelled_twin(self, version: str) -> bool:
        """Whether a labelled version holds the same credential."""
        values, labels = self.world.secret.values, self.world.secret.labels
        return any(values[v] == values[version] and labels.get(v) for v in values if v != version)

    def _in_use(self, version: str) -> bool:
        """Whether it is of the user of AWSCURRENT; the other one gets a new password first."""
        value, current = self.world.secret.values[version], self.world.credential(Label.CURRENT)
        parsed = Credential.parse(value or "", what=version)
        return current is not None and parsed.username == current.username
