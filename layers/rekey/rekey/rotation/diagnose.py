"""diagnose: log in with what the secret holds, and decide what is to be done.

Changes nothing but the count of refused logins.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from rekey.credential import Credential
from rekey.errors import RekeyError, VersionNotReadable
from rekey.model import (
    Happened,
    Label,
    Outcome,
    SecretMetadata,
    StepResult,
    Strategy,
    is_halted,
)
from rekey.ports import Connection
from rekey.recovery import Attempt, Decision, Login, Observation, decide
from rekey.recovery.observation import ABSENT, UNTRIED
from rekey.recovery.rules import ALERT_ONLY, KNOWN_BAD, RESTORABLE, SET_HAS_ENDED
from rekey.rotation.candidates import Candidate, Candidates, read_candidates
from rekey.rotation.context import Rotation
from rekey.rotation.identity import check_login
from rekey.rotation.logins import Logins
from rekey.rotation.restore import may_restore
from rekey.rotation.superuser import connect_superuser

ENDS = frozenset({Label.CURRENT, Label.PREVIOUS, Label.REJECTED})
"""Labels that a version comes to have only after its rotation."""


def diagnose(rotation: Rotation) -> StepResult:
    """Return the decision with its reason, and what it was made from, as facts."""
    metadata = rotation.store.describe(rotation.arn)
    known = rotation.request.circumstances
    blank = Observation(
        known.happened,
        UNTRIED,
        labelled=_labelled(metadata),
        superseded=_superseded(rotation, metadata),
        ended=_ended(rotation, metadata),
        repeated=known.repeated,
        halted=is_halted(metadata.tags),
        last_look=known.last_look,
        failures=known.failures,
        retries=known.retries,
    )
    candidates = read_candidates(rotation, metadata)
    seen = blank if _is_settled(blank) else _look(rotation, candidates, blank)
    return _result(seen, decide(seen), candidates)


def _labelled(metadata: SecretMetadata) -> bool:
    return metadata.holder(Label.PENDING) not in (None, metadata.holder(Label.CURRENT))


def _superseded(rotation: Rotation, metadata: SecretMetadata) -> bool:
    """Tell whether another rotation has begun since the one that failed."""
    token, happened = rotation.token, rotation.request.circumstances.happened
    asks_about_any = happened in (Happened.BY_HAND, Happened.STUCK)
    return _labelled(metadata) and metadata.holder(Label.PENDING) != token and not asks_about_any


def _ended(rotation: Rotation, metadata: SecretMetadata) -> bool:
    """Tell whether the version that failed needs no other rotation: another event was faster."""
    return not ENDS.isdisjoint(metadata.labels.get(rotation.token, frozenset()))


def _is_settled(seen: Observation) -> bool:
    """Tell whether the decision needs no login."""
    stopped = seen.halted and seen.happened is not Happened.BY_HAND
    return stopped or seen.superseded or seen.happened in ALERT_ONLY


def _look(rotation: Rotation, candidates: Candidates, seen: Observation) -> Observation:
    """Log in, once with each, and with none that the decision does not need.

    With single-user the server has one password. Where setSecret has ended, or the server has
    refused a login already, that is the pending one: it is tried first.
    """
    look = _Look(rotation, candidates)
    alone = candidates.strategy is Strategy.SINGLE_USER and candidates.pending is not None
    current = pending = UNTRIED
    if alone and (look.logins.refusals() or seen.happened in SET_HAS_ENDED):
        pending = look.attempt(candidates.pending)
    if not (alone and pending.login is Login.WORKS):
        current = look.current()
    if pending is UNTRIED and not (alone and current.login is Login.WORKS):
        pending = look.attempt(candidates.pending)
    seen = replace(seen, current=current, pending=pending, strategy=candidates.strategy)
    waits = pending.login is Login.UNREACHABLE and not seen.last_look
    if current.login in KNOWN_BAD and pending.login is not Login.WORKS and not waits:
        seen = replace(seen, previous=look.former())
    if seen.labelled or current.login is not Login.WORKS:
        seen = replace(seen, superuser=look.superuser())
    if current.login in RESTORABLE and seen.superuser.login is not Login.ABSENT:
        return replace(seen, may_restore=look.may_restore())
    return seen


@dataclass
class _Look:
    """The logins of one diagnosis, counted on the version that failed."""

    rotation: Rotation
    candidates: Candidates
    logins: Logins = field(init=False)

    def __post_init__(self) -> None:
        self.logins = self.rotation.logins(self.candidates.counted)

    def attempt(self, candidate: Candidate | None) -> Attempt:
        return self._attempt(candidate, self.logins.connect)

    def current(self) -> Attempt:
        """Log in with AWSCURRENT, unless this recovery was refused before it began to wait.

        What does not answer is waited for, and what was refused is not: a second refusal would use
        up the login that is meant for what is waited for.
        """
        if Label.CURRENT in self.rotation.request.circumstances.refused:
            return Attempt(Login.REFUSED)
        tried = self.attempt(self.candidates.current)
        if tried.login is Login.UNTRIED and self._was_refused_to_set_secret():
            return Attempt(Login.REFUSED)
        if tried.login is Login.WORKS and self._counts_on_current():
            self.logins.forget()
        return tried

    def _counts_on_current(self) -> bool:
        """Tell whether AWSCURRENT's count is of its own user alone, who was let in."""
        current, counted = self.candidates.current, self.candidates.counted.version_id
        alternating = self.candidates.strategy is Strategy.ALTERNATING_USERS
        return current is not None and current.version_id == counted and not alternating

    def _was_refused_to_set_secret(self) -> bool:
        """Of alternating users, setSecret logs in with AWSCURRENT's and with no other.

        Secrets Manager repeats it at once: both refusals may be used up before anybody looks, or
        while somebody does.
        """
        return (
            self.candidates.strategy is Strategy.ALTERNATING_USERS
            and self.rotation.request.circumstances.happened is Happened.SET_FAILED
        )

    def former(self) -> Attempt:
        """Log in with AWSPREVIOUS, which is only asked after AWSCURRENT was refused or cannot be.

        Refusals are counted for both of two alternating users together. The one of AWSPREVIOUS is
        not the one that was refused, and this is the only login that it is tried with.
        """
        if Label.PREVIOUS in self.rotation.request.circumstances.refused:
            return Attempt(Login.REFUSED)
        current, former = self.candidates.current, self.candidates.previous
        users = {one.credential.username for one in (current, former) if one and one.credential}
        return self._attempt(former, self.logins.connect if len(users) == 1 else self._connect)

    def _connect(self, credential: Credential) -> Connection:
        return self.rotation.engine.connect(credential, self.rotation.deadline)

    def _attempt(
        self, candidate: Candidate | None, connect: Callable[[Credential], Connection]
    ) -> Attempt:
        if candidate is None:
            return ABSENT
        if candidate.fault is not None or candidate.credential is None:
            return Attempt.failed(candidate.fault or VersionNotReadable("It has no value."))
        try:
            check_login(self.rotation, connect, candidate.credential, self.candidates.strategy)
        except RekeyError as error:
            return Attempt.failed(error)
        return Attempt(Login.WORKS)

    def superuser(self) -> Attempt:
        credential = self._credential()
        if credential is None or credential.superuser_arn is None:
            return ABSENT
        try:
            connect_superuser(self.rotation, self.logins, credential).close()
        except RekeyError as error:
            return Attempt.failed(error)
        return Attempt(Login.WORKS)

    def may_restore(self) -> bool:
        credential = self._credential()
        try:
            return credential is not None and may_restore(
                self.rotation.store, self.rotation.arn, credential
            )
        except RekeyError:
            return False

    def _credential(self) -> Credential | None:
        current = self.candidates.current
        return None if current is None else current.credential


def _result(seen: Observation, decision: Decision, candidates: Candidates) -> StepResult:
    logins = {f"{name}Login": str(attempt.login) for name, attempt in _named(seen).items()}
    return StepResult(
        Outcome.DONE,
        decision.reason,
        seen.strategy,
        {
            "action": str(decision.action),
            "advice": decision.advice,
            "afterwards": str(decision.afterwards),
            "currentVersionId": candidates.current.version_id if candidates.current else "",
            "pendingVersionId": candidates.pending.version_id if candidates.pending else "",
            **logins,
        },
    )


def _named(seen: Observation) -> dict[str, Attempt]:
    return {
        "current": seen.current,
        "pending": seen.pending,
        "previous": seen.previous,
        "superuser": seen.superuser,
    }
