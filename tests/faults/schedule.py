"""One rotation with one fault at one effect, what the service does next, and what must hold."""

import base64
import copy
import json
import secrets
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from rekey.credential import Credential
from rekey.errors import RekeyError
from rekey.model import (
    Label,
    Outcome,
    SecretMetadata,
    SecretVersion,
    Step,
    StepResult,
    Strategy,
    WorkflowStep,
)
from rekey.passwords import PasswordRules
from tests.database import Server, new_password
from tests.faults.effects import Effect, Effects, Killed, Kind
from tests.faults.target import Target
from tests.secret_store import SecretStoreInMemory, StoredSecret
from tests.world import ARN, SUPERUSER_ARN, World, new_token

T = TypeVar("T")
ATTEMPTS = 2
"""The one in which something breaks, and one more."""

ALLOWED_REFUSALS = 2


class WatchedStore(SecretStoreInMemory):
    """Secrets Manager in memory, every call an effect. It remembers its state before a write."""

    def __init__(self, effects: Effects) -> None:
        super().__init__()
        self.effects = effects
        self.before: dict[str, StoredSecret] = {}
        self.stale = False

    def _reading(self, name: str, do: Callable[[], T]) -> T:
        return self.effects.happen(Kind.READ, name, do)

    def _writing(self, name: str, do: Callable[[], T]) -> T:
        def write() -> T:
            self.before = copy.deepcopy(self.secrets)
            return do()

        return self.effects.happen(Kind.WRITE, name, write)

    def describe(self, secret_id: str) -> SecretMetadata:
        describe = super().describe
        return self._reading("DescribeSecret", lambda: describe(secret_id))

    def get_labelled(self, secret_id: str, label: Label) -> SecretVersion:
        get = super().get_labelled
        return self._reading(f"GetSecretValue {label}", lambda: get(secret_id, label))

    def get_version(
        self, secret_id: str, version_id: str, label: Label | None = None
    ) -> SecretVersion | None:
        get = super().get_version
        name = f"GetSecretValue {label or 'by id'}"
        return self._reading(name, lambda: get(secret_id, version_id, label))

    def put_version(
        self, secret_id: str, version: SecretVersion, *, rotation_token: str | None
    ) -> bool:
        put = super().put_version
        return self._writing(
            "PutSecretValue", lambda: put(secret_id, version, rotation_token=rotation_token)
        )

    def move_label(
        self, secret_id: str, label: Label, *, to: str | None, removed_from: str | None
    ) -> None:
        move = super().move_label
        self._writing(
            f"UpdateSecretVersionStage {label}",
            lambda: move(secret_id, label, to=to, removed_from=removed_from),
        )

    def not_seen_yet(self, do: Callable[[], T]) -> T:
        """Answer a read as if the last write had not happened yet."""
        now, self.secrets = self.secrets, self.before or self.secrets
        try:
            return do()
        finally:
            self.secrets = now


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
    after_first_attempt: Callable[[], None] = lambda: None
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
            self.after_first_attempt()
            if over:
                break
            self.next_token()
        else:
            wrong.append(f"not converged after {ATTEMPTS} attempts")
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
            if not self._somebody_gets_in(current=self.uninterrupted and not self.by_hand):
                self.seen_meanwhile.append(f"{when}: locked out in the middle of a step")
            self.seen_meanwhile += [f"{when}: {lost}" for lost in self._lost()]

    def _somebody_gets_in(self, *, current: bool) -> bool:
        labels = self.world.secret.labels
        wanted = {Label.CURRENT} if current else set(Label)
        return any(labels[one] & wanted and self._logs_in(one) for one in list(labels))

    def _lost(self) -> list[str]:
        """What the applications could do from the beginning, and cannot do now."""
        current = self.world.credential(Label.CURRENT)
        if current is None or self.strategy is not Strategy.ALTERNATING_USERS:
            return []
        if not self.server.logs_in(current.username, current.password):
            return []  # Which is worse, and told apart.
        return [f"AWSCURRENT may not {what}" for what in self.target.lacks(self.server, current)]

    def violations(self) -> list[str]:
        """What does not hold at this instant."""
        self.learn_secrets()
        with self.effects.aside():
            live = [version for version in self.world.secret.values if self._logs_in(version)]
            wrong, self.seen_meanwhile = self.seen_meanwhile, []
            if not any(self.world.secret.labels.get(version) for version in live):
                wrong.append("locked out: no labelled version logs in")
            if self.uninterrupted and self.world.secret.holder(Label.CURRENT) not in live:
                wrong.append("locked out: AWSCURRENT does not log in")
            wrong += self._lost()
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
        return [f"leaked: {text}" for text in texts if self._leaks(text)]

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
            if not self._logs_in(holder):
                return ["not settled: AWSCURRENT does not log in"]
            current = self.world.credential(Label.CURRENT)
            if current is None or self.strategy is not Strategy.ALTERNATING_USERS:
                return []
            lacking = self.target.lacks(self.server, current)
            wrong = [f"AWSCURRENT may not {what}" for what in lacking]
            return wrong + self.target.differs(self.server, current)

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

    def _leaks(self, text: str) -> bool:
        return any(form in text for password in self.passwords for form in _forms(password))


def _forms(password: str) -> set[str]:
    """As it is, and as a server, a driver or a log would write it."""
    encoded = base64.b64encode(password.encode()).decode().rstrip("=")
    return {password, encoded, password.replace("'", "''"), repr(password)[1:-1]}


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
            self.after_first_attempt()
            if over:
                break
            self.next_token()
        return [*self.leaked(), *self.refused()]


class RefusedSuperuser(Refused):
    """It is the superuser's password that nobody knows."""

    def forgotten(self) -> str:
        return f"{self.server.base}_admin"


@contextmanager
def fresh(
    target: Target,
    effects: Effects,
    strategy: Strategy,
    *,
    rotations_before: int,
    kind: type[Schedule] = Schedule,
    port: int | None = None,
) -> Iterator[Schedule]:
    """A schedule that has begun, alone on the server; see prepared."""
    with target.observed(effects), prepared(target, effects, strategy, kind, port) as one:
        one.rotations_before = rotations_before
        one.begin()
        yield one


@contextmanager
def prepared(
    target: Target,
    effects: Effects,
    strategy: Strategy,
    kind: type[Schedule] = Schedule,
    port: int | None = None,
) -> Iterator[Schedule]:
    """A schedule with a user and a superuser of its own, gone afterwards.

    ``port`` is where the function reaches the server, if something stands in between.
    """
    base, password = f"app_{secrets.token_hex(5)}", new_password()
    admin, admin_password = f"{base}_admin", new_password()
    server = target.server(base, password)
    server.create_user(base, password)
    target.create_superuser(server, admin, admin_password)
    target.give_rights(server, admin)
    reached = target.server(base, password, port) if port else None
    schedule = kind(target, server, effects, strategy, reached=reached)
    superuser = schedule.store.secrets[SUPERUSER_ARN]
    superuser.values["v1"] = schedule.world.document(admin, admin_password)
    yield schedule
    target.drop(server, admin)
