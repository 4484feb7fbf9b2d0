"""The daily look at all secrets, a page at a time, as far as one invocation gets.

How far it is stands in the table, and the schedule comes back every few minutes until the day's
sweep is over. So a crash or a time limit costs one page, no invocation calls the next (Lambda stops
functions that feed themselves), and what a late or doubled invocation does again is folded in.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from rekey.alerts import blindness, topics
from rekey.alerts.crowds import tell_together
from rekey.alerts.digest import is_new_week
from rekey.alerts.finding import Finding, Status
from rekey.alerts.incidents import Decision
from rekey.alerts.kinds import Kind
from rekey.alerts.troubles import relief, trouble
from rekey.crowd import Crowds
from rekey.errors import SecretAccessDenied
from rekey.incident import Incident, IncidentStore
from rekey.model import Deadline, Execution, Happened, Label, Workflow, execution_name
from rekey.ports import Workflows
from rekey.watched import Page, Progress, Secrets, SweepMemory, Trails, Watched

CANARY_TAG = "rekey:canary"
RECOVERABLE = frozenset({Kind.OVERDUE, Kind.STUCK_PENDING})

RESERVE_SECONDS = 60.0
"""What must be left of an invocation to begin another page, with findings in it."""


@dataclass(frozen=True)
class Sweep:
    """The world as ports. ``place`` is account and region; ``close`` ends what is over by now."""

    secrets: Secrets
    trails: Trails
    memory: SweepMemory
    incidents: IncidentStore
    report: Callable[[Finding], Decision]
    workflows: Workflows
    place: str
    crowds: Crowds
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    close: Callable[[], int] = lambda: 0
    digest: Callable[[Iterable[Finding], str, datetime], Finding | None] = lambda *_: None

    def run(self, deadline: Deadline) -> Progress:
        """Go on with today's sweep, if it is not over; tell of crowds, and close what is over."""
        tell_together(self.crowds, self.report, self.now())
        progress = self._today()
        while progress.token is not None:
            progress = self._one_page(progress)
            self.memory.note(progress)
            if deadline.remaining() < RESERVE_SECONDS:
                break
        self.close()
        return progress

    def _today(self) -> Progress:
        """Return how far today's sweep is. One of yesterday that is not over goes on first."""
        now, known = self.now(), self.memory.progress()
        if known and (known.token is not None or known.begun.date() == now.date()):
            return known
        blind = blindness.of_trails(self.trails.here(), self.place, now)
        for finding in blind:
            self.report(finding)
        if known and is_new_week(known.begun, now):
            digest = self.digest(blind, self.place, now)
            if digest is not None:
                self.report(digest)
        return Progress(now, FIRST_PAGE)

    def _one_page(self, progress: Progress) -> Progress:
        page = self.secrets.page(progress.token or None)
        if page is None:
            return replace(progress, token=FIRST_PAGE)
        told = sum(self._judge(page))
        return replace(
            progress,
            token=page.next_token,
            secrets=progress.secrets + len(page.secrets),
            findings=progress.findings + told,
        )

    def _judge(self, page: Page) -> list[int]:
        known = self.incidents.get_many([topics.rotation(secret.arn) for secret in page.secrets])
        counts = []
        for listed in page.secrets:
            secret, is_open = self._newest(listed)
            incident = known.get(topics.rotation(listed.arn))
            finding = None if secret is None else self._finding(secret, incident)
            if secret is not None and finding is not None:
                self.report(finding)
                if is_open:
                    self._recover(finding, secret)
            self._canary(listed)
            counts.append(int(finding is not None))
        return counts

    def _newest(self, listed: Watched) -> tuple[Watched | None, bool]:
        """The list may be older than the secret: only a suspect is looked at by itself.

        False of one whose policy does not let Rekey look: the list is all there is to go by.
        """
        if trouble(listed, self.now()) is None:
            return listed, True
        try:
            return self.secrets.look(listed.arn), True
        except SecretAccessDenied:
            return listed, False

    def _finding(self, secret: Watched, incident: Incident | None) -> Finding | None:
        found = trouble(secret, self.now())
        if found is None and incident is not None:
            return relief(secret, incident, self.now())
        return found

    def _recover(self, finding: Finding, secret: Watched) -> None:
        """Let the workflow look, which tells itself whose function it is and what may be done."""
        if finding.kind not in RECOVERABLE or finding.status is not Status.OPEN:
            return
        arn, pending = secret.arn, secret.holder(Label.PENDING) or ""
        name = execution_name(Workflow.RECOVER, arn, pending, finding.occurrence)
        about = {"secretId": arn, "happened": str(Happened.STUCK)}
        with_version = {**about, "versionId": pending} if pending else about
        self.workflows.start(Execution(Workflow.RECOVER, name, with_version))

    def _canary(self, secret: Watched) -> None:
        if secret.tags.get(CANARY_TAG) != "true":
            return
        now, known = self.now(), self.memory.canary(secret.arn)
        finding = blindness.of_canary(secret.arn, known, now)
        if finding is not None:
            self.report(finding)
        if finding is not None or known.read is None:
            self.memory.note_read(secret.arn, now)
            with suppress(SecretAccessDenied):  # It makes a record like any other.
                self.secrets.read(secret.arn)


FIRST_PAGE = ""
"""The token of the first page, which has none."""
