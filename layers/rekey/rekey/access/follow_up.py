"""What a schedule and the workflow ``retire`` ask about consumers, and whom it is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rekey.access.renewal import Judge, Verdict
from rekey.access.stale import Answer
from rekey.access.unrenewed import kept, not_renewed, solved
from rekey.alerts import topics
from rekey.alerts.report import Reporter
from rekey.errors import InvalidEvent, RekeyError
from rekey.known import Item
from rekey.model import Deadline

Facts = dict[str, Any]

RUN_SECONDS = 240.0
"""Of the function's time for one run of the schedule; what is left waits for the next."""

SHOWN = 20
AT_LEAST, PART = 900, 8
"""Looked at again after so many seconds, or after a part of the age: seldom, once it is old."""


@dataclass(frozen=True)
class FollowUp:
    """``judge`` says how it stands; ``reporter`` keeps what was said."""

    judge: Judge
    reporter: Reporter

    def run(self, event: Mapping[str, Any]) -> Facts:
        """Carry out the task that the event names.

        Raises InvalidEvent, SecretsManagerFailure, LambdaFailure, StateTableFailure,
        AlertNotDelivered.
        """
        task = TASKS.get(str(event.get("task")))
        if task is None:
            raise InvalidEvent(f"The task must be one of {', '.join(TASKS)}.")
        return task(self, event)

    def ask(self, event: Mapping[str, Any]) -> Facts:
        """Say whether the version before ``versionId`` may go."""
        return _facts(self.judge.judge(*_about(event)))

    def keep(self, event: Mapping[str, Any]) -> Facts:
        """Tell people that the old password is kept, and for whom; nothing if nobody needs it."""
        verdict = self.judge.judge(*_about(event))
        if verdict.answer is Answer.STALE:
            self.reporter.report(kept(verdict, float(event.get("waitedSeconds", 0))))
        return _facts(verdict)

    def follow(self, _: Mapping[str, Any]) -> Facts:
        """Look at the rotations that are due. One that fails does not keep the others waiting."""
        deadline, looked, failed = Deadline.after(RUN_SECONDS), 0, list[RekeyError]()
        waiting = sorted(self.judge.rotations.rotations(), key=_looked)
        for item in waiting:
            if deadline.remaining() < 0:
                break
            if self._is_due(item):
                looked += 1
                try:
                    self._look(item)
                except RekeyError as error:
                    failed.append(error)
        if failed:
            raise failed[0]
        return {"outcome": "done", "waiting": len(waiting), "looked": looked}

    def _is_due(self, item: Item) -> bool:
        now, at = int(self.judge.now()), item.minima["at"]
        pause = max(AT_LEAST, (now - at) // PART)
        return now - at >= self.judge.grace and now - _looked(item) >= pause

    def _look(self, item: Item) -> None:
        secret, _, version = item.key.sk.rpartition("#")
        verdict = self.judge.judge(secret, version)
        self._tell(verdict)
        if _is_over(verdict):
            self.judge.rotations.forget(item.key)
        else:
            # Whoever has been faster has looked as well.
            self.judge.rotations.save(_noted(item, verdict.now))

    def _tell(self, verdict: Verdict) -> None:
        finding = not_renewed(verdict) if verdict.rotates else None
        if finding is not None:
            self.reporter.report(finding)
            return
        if verdict.answer is Answer.UNKNOWN:
            return
        incident = self.reporter.store.get(topics.consumers(verdict.secret, verdict.version))
        if incident is not None and incident.solved is None and not _waits(verdict):
            self.reporter.report(solved(verdict, incident))


def _waits(verdict: Verdict) -> bool:
    """Whether somebody may still have to be told of."""
    return bool(verdict.late or verdict.holding)


def _is_over(verdict: Verdict) -> bool:
    if verdict.answer is Answer.UNKNOWN:
        # What may be known tomorrow ends with its item, or with the next rotation.
        return False
    if verdict.answer is Answer.SUPERSEDED or not verdict.rotates:
        return True
    return not _waits(verdict)


def _about(event: Mapping[str, Any]) -> tuple[str, str]:
    secret, version = event.get("secretId"), event.get("versionId")
    if not (isinstance(secret, str) and isinstance(version, str) and secret and version):
        raise InvalidEvent("The event needs secretId and versionId.")
    return secret, version


def _looked(item: Item) -> int:
    return item.maxima.get("looked", 0)


def _noted(item: Item, now: int) -> Item:
    return Item(
        item.key, item.minima, {"looked": now}, expires=item.expires, revision=item.revision
    )


def _facts(verdict: Verdict) -> Facts:
    """What a workflow gets: names of principals, versions and times."""
    return {
        "outcome": verdict.answer.value,
        "reason": verdict.reason,
        "oldVersionId": verdict.old or "",
        "consumers": [
            {
                "principal": one.principal,
                "consumption": one.consumption.value,
                "lastRead": one.last_read,
                "versionId": one.version or "",
            }
            for one in verdict.consumers[:SHOWN]
        ],
        "more": max(0, len(verdict.consumers) - SHOWN),
    }


TASKS: Mapping[str, Callable[[FollowUp, Mapping[str, Any]], Facts]] = {
    "ask": FollowUp.ask,
    "keep": FollowUp.keep,
    "follow": FollowUp.follow,
}
