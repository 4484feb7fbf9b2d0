"""After AWSCURRENT has moved: who still uses the version before, for people and for workflows."""

from collections.abc import Callable
from dataclasses import dataclass

from rekey.access.ports import Rotations, Surroundings
from rekey.access.stale import Answer, Consumer, Consumption, consumers, judged, replaced
from rekey.errors import SecretAccessDenied, SecretNotFound
from rekey.known import DAY
from rekey.model import Label, SecretMetadata, Strategy
from rekey.ports import SecretStore

PATIENCE = DAY
"""How long silence says nothing: much runs once a day."""

PERSON = "person:"
"""How the names of people begin, who hold no version: they look."""


@dataclass(frozen=True)
class Verdict:
    """What is known of the consumers of a secret since ``version`` has AWSCURRENT.

    ``old`` is the version before; ``lost`` (epoch) when that was replaced. ``rotates`` tells
    whether rotation is enabled, ``now`` (epoch) when it was looked at.
    """

    answer: Answer
    reason: str
    secret: str
    version: str
    now: int
    old: str | None = None
    lost: int | None = None
    strategy: Strategy | None = None
    rotates: bool = False
    consumers: tuple[Consumer, ...] = ()

    @property
    def late(self) -> tuple[Consumer, ...]:
        """Who has been given a version since that was replaced before, this old one or another."""
        late = (Consumption.STALE, Consumption.OUTDATED)
        return tuple(c for c in self.consumers if c.consumption in late)

    @property
    def holding(self) -> tuple[Consumer, ...]:
        """Who was given the old version, and has read nothing since: it may hold it still."""
        return tuple(
            c
            for c in self.consumers
            if c.consumption is Consumption.SILENT
            and c.version == self.old
            and not c.principal.startswith(PERSON)
        )

    @property
    def age(self) -> int:
        """Seconds since the old version was replaced; 0 if nobody knows."""
        return self.now - self.lost if self.lost is not None else 0


@dataclass(frozen=True)
class Judge:
    """The world as ports. ``grace`` is what consumers have for renewal, ``now`` the time (epoch).

    ``grace`` is in seconds.
    """

    store: SecretStore
    rotations: Rotations
    surroundings: Surroundings
    grace: int
    now: Callable[[], float]

    def judge(self, secret: str, version: str) -> Verdict:
        """Say what is known since ``version`` has AWSCURRENT.

        Raises SecretsManagerFailure, LambdaFailure, StateTableFailure.
        """
        now = int(self.now())
        try:
            metadata = self.store.describe(secret)
        except SecretNotFound:
            reason = "The secret does not exist any more."
            return Verdict(Answer.SUPERSEDED, reason, secret, version, now)
        except SecretAccessDenied:
            reason = "The secret may not be described, so nobody knows which version is which."
            return Verdict(Answer.UNKNOWN, reason, secret, version, now)
        return self._judge(metadata, version, now)

    def _judge(self, metadata: SecretMetadata, version: str, now: int) -> Verdict:
        arn, rotates = metadata.arn, metadata.rotation_enabled
        if metadata.holder(Label.CURRENT) != version:
            reason = "The version is not AWSCURRENT: something newer counts."
            return Verdict(Answer.SUPERSEDED, reason, arn, version, now, rotates=rotates)
        old, strategy = metadata.holder(Label.PREVIOUS), metadata.strategy(version)
        if old is None:
            reason = "There is no version before this one."
            return Verdict(Answer.CLEAR, reason, arn, version, now, rotates=rotates)
        lost, table = self._table(arn, old, version, now)
        answer, reason = judged(table)
        if lost is None:
            answer, reason = Answer.UNKNOWN, "No record of the rotation has arrived."
        return Verdict(answer, reason, arn, version, now, old, lost, strategy, rotates, table)

    def _table(
        self, arn: str, old: str, version: str, now: int
    ) -> tuple[int | None, tuple[Consumer, ...]]:
        secret, readers = self.rotations.reading(arn)
        since = None if secret is None else replaced(secret, old, version, now, self.grace)
        if since is None:
            return None, ()
        ours = self.surroundings.ours() | {self.surroundings.rotator(arn)}
        table = consumers(readers, since)
        return since.lost, tuple(line for line in table if line.principal not in ours)
