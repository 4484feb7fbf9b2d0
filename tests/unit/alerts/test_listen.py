"""Which events of the queue people hear of, and which are left to the workflows."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rekey.alerts import campaigns
from rekey.alerts.finding import Finding, Kind, Severity, Status
from rekey.alerts.incidents import Decision
from rekey.alerts.listen import Listener
from rekey.alerts.recoveries import DONE, ENDS, NEXT, NOTHING_UNDONE, UNCHANGED, finding
from rekey.alerts.report import Reporter
from rekey.errors import AlertNotDelivered, InvalidEvent
from rekey.incident import Recovery
from rekey.recovery.decision import Afterwards
from rekey.recovery.rules import Action
from tests.incident_store import MemoryIncidents
from tests.unit.alerts.findings import ARN, NOW
from tests.unit.alerts.test_incidents import Listener as Channel

EVENTS = Path(__file__).parents[3] / "events"
SWEEP = "arn:aws:iam::111122223333:role/rekey-sweep"
CHANGED = "changes/value_written"
RECOVERY: dict[str, Any] = {
    "id": "e-1",
    "source": "rekey",
    "detail-type": "Rekey Recovery",
    "time": "2026-11-24T12:00:00Z",
    "detail": {
        "secretId": ARN,
        "versionId": "v-2",
        "functionArn": "arn:aws:lambda:eu-west-1:111122223333:function:rekey-rotate-mysql",
        "happened": "setSecret failed",
        "outcome": "recovered",
        "action": "rollForward",
        "afterwards": "nothing",
        "reason": "AWSPENDING logs in.",
        "advice": "",
    },
}


class Ears:
    """A listener, with what it has reported and which canaries it has heard."""

    def __init__(self) -> None:
        self.channel = Channel()
        self.canaries: list[tuple[str, datetime]] = []
        self.counted: list[Recovery] = []
        self.reporter = Reporter(MemoryIncidents(), self.channel, now=lambda: NOW)

    def note(self, arn: str, at: datetime) -> None:
        self.canaries.append((arn, at))

    def report(self, told: Finding) -> Decision:
        return self.reporter.report(told)

    def hear(self, event: object, *ours: str) -> dict[str, str] | None:
        listener = Listener(self.report, self.note, frozenset(ours), SWEEP, self.counted.append)
        return listener.hear(event)


@pytest.fixture
def ears() -> Ears:
    return Ears()


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def recovery(**changes: Any) -> dict[str, Any]:
    return {**RECOVERY, "detail": {**RECOVERY["detail"], **changes}}


def test_a_change_is_reported_once(ears: Ears) -> None:
    facts = ears.hear(sample(CHANGED))
    assert facts is not None
    assert (facts["outcome"], facts["kind"], facts["secret_arn"]) == (
        "publish-new", "value-written", ARN,
    )  # fmt: skip
    again = ears.hear(sample(CHANGED))
    assert again is not None
    assert (again["outcome"], again["incident"]) == ("ignore", facts["incident"])
    assert len(ears.channel.heard) == 1


def test_the_sample_event_of_dispatch_holds_the_change_that_its_name_says(ears: Ears) -> None:
    (record,) = sample("dispatch/policy_opened")["Records"]
    facts = ears.hear(json.loads(record["body"]))
    assert facts is not None
    assert facts["kind"] == "policy-opened"


def test_a_change_of_ours_is_done_with_silently(ears: Ears) -> None:
    facts = ears.hear(sample(CHANGED), "arn:aws:iam::111122223333:role/deploy")
    assert facts is not None
    assert facts["outcome"] == "ignored"
    assert ears.channel.heard == []


@pytest.mark.parametrize("name", ["changes/test_rotation_failed", "changes/replication_failed"])
def test_service_events_about_trouble_are_reported(ears: Ears, name: str) -> None:
    assert ears.hear(sample(name))
    assert len(ears.channel.heard) == 1


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        {},
        {"detail-type": "Secret Label Updated", "source": "aws.secretsmanager"},
        sample("changes/rotation_failed"),
        {**RECOVERY, "source": "elsewhere"},
    ],
)
def test_what_is_for_a_workflow_is_left_to_it(ears: Ears, event: object) -> None:
    assert ears.hear(event) is None


def read_by(role: str, secret: str = ARN) -> dict[str, Any]:
    event = sample(CHANGED)
    event["detail"] |= {
        "eventName": "GetSecretValue",
        "requestParameters": {"secretId": secret},
        "responseElements": None,
    }
    event["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = role
    return event


def test_the_canarys_read_is_noted_with_its_time(ears: Ears) -> None:
    assert ears.hear(read_by(SWEEP))
    assert ears.canaries == [(ARN, NOW)]


def test_reads_by_others_are_no_canarys(ears: Ears) -> None:
    ears.hear(read_by(SWEEP.replace("sweep", "other")))
    ears.hear(read_by(SWEEP, "app/db"))
    assert ears.canaries == []


def test_a_recovery_says_what_happened_what_was_done_and_what_to_do(ears: Ears) -> None:
    told = finding(recovery(advice="Look at the server's log.", afterwards="halt"))
    assert (told.kind, told.status, told.severity) == (Kind.RECOVERED, Status.SOLVED, Severity.LOW)
    assert told.when == datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert "setSecret failed" in told.what
    assert told.done == (DONE["rollForward"], NEXT["halt"])
    assert told.next_steps == ("Look at the server's log.",)
    assert ears.hear(recovery())
    assert ears.channel.said("status") == ["solved"]


@pytest.mark.parametrize(
    ("told", "done", "action"),
    [
        ({"changed": True, "undone": "yes"}, DONE["rollBack"], "rollBack"),
        ({"changed": False, "undone": "no"}, UNCHANGED, "nothing"),
        ({"changed": False, "undone": "yes"}, UNCHANGED, "nothing"),
        ({"changed": True, "undone": "nothing"}, NOTHING_UNDONE, "rollBack"),
        ({"changed": False, "undone": "nothing"}, UNCHANGED, "nothing"),
    ],
)
def test_a_roll_back_says_what_it_has_done_and_not_what_was_asked_for(
    ears: Ears, told: dict[str, Any], done: str, action: str
) -> None:
    event = recovery(action="rollBack", happened="a person asked", **told)
    assert finding(event).done == (done,)
    ears.hear(event)
    assert ears.counted[0].action == action


def test_a_recovery_that_had_nothing_to_change_claims_nothing_either() -> None:
    assert finding(recovery(action="nothing", changed=False)).done == ()


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        ("needs-person", Kind.NEEDS_PERSON),
        ("halted", Kind.HALTED),
        ("failed", Kind.NEEDS_PERSON),
    ],
)
def test_what_a_recovery_could_not_do_stays_open(outcome: str, kind: Kind) -> None:
    told = finding(recovery(outcome=outcome, action="escalate"))
    assert (told.kind, told.status, told.severity) == (kind, Status.OPEN, Severity.HIGH)


def test_a_recovery_after_a_person_was_called_ends_that_incident(ears: Ears) -> None:
    ears.hear({**recovery(outcome="needs-person"), "id": "e-0", "time": "2026-11-24T11:00:00Z"})
    ears.hear(recovery())
    assert ears.channel.said("status") == ["open", "solved"]
    assert ears.channel.said("severity") == ["high", "high"]


@pytest.mark.parametrize(
    "changes", [{"outcome": "odd"}, {"secretId": "app/db"}, {"secretId": None}]
)
def test_a_recovery_that_is_not_understood_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidEvent):
        finding(recovery(**changes))


def test_every_action_that_changes_something_has_its_sentence() -> None:
    assert set(DONE) == set(Action) - {Action.NOTHING, Action.WAIT, Action.ESCALATE}
    assert set(NEXT) == set(Afterwards) - {Afterwards.NOTHING}
    assert set(ENDS.values()) <= set(Kind)


CAMPAIGN: dict[str, Any] = {
    "id": "e-2",
    "source": "rekey",
    "detail-type": "Rekey Campaign",
    "time": "2026-11-24T12:00:00Z",
    "detail": {"execution": "wave-1", "stands": False, "text": "2 secrets: 1 failed, 1 rotated."},
}


@pytest.mark.parametrize(
    ("stands", "severity"), [(True, Severity.INFORMATIONAL), (False, Severity.HIGH)]
)
def test_a_campaign_is_told_of_once_and_the_louder_if_it_does_not_stand(
    stands: bool, severity: Severity
) -> None:
    ears = Ears()
    event = {**CAMPAIGN, "detail": {**CAMPAIGN["detail"], "stands": stands}}
    first, again = ears.hear(event), ears.hear(event)
    assert first is not None
    assert again is not None
    assert (first["kind"], first["outcome"]) == (Kind.CAMPAIGN_RESULT, "publish-new")
    assert again["outcome"] == "ignore"
    assert campaigns.finding(event).severity is severity
    assert "1 failed" in campaigns.finding(event).what


@pytest.mark.parametrize("detail", [{}, {"execution": "x", "text": "y"}, {"stands": True}])
def test_a_campaign_that_says_nothing_is_refused(detail: dict[str, Any]) -> None:
    with pytest.raises(InvalidEvent):
        campaigns.finding({**CAMPAIGN, "detail": detail})


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ({}, None),
        ({"failedAt": "2026-11-24T11:59:50Z", "verifiedAt": ""}, None),
        ({"failedAt": "", "verifiedAt": "2026-11-24T12:00:00Z"}, None),
        ({"failedAt": "2026-11-24T11:59:50Z", "verifiedAt": "2026-11-24T11:59:52.250Z"}, 2.25),
        # Clocks that differ make no time negative.
        ({"failedAt": "2026-11-24T12:00:01Z", "verifiedAt": "2026-11-24T12:00:00.9Z"}, 0.0),
    ],
)
def test_a_recovery_is_counted_with_the_time_that_it_took(
    ears: Ears, told: dict[str, str], seconds: float | None
) -> None:
    ears.hear(recovery(**told))
    assert ears.counted == [Recovery("rollForward", "recovered", seconds)]


def test_words_that_recover_does_not_know_become_no_dimension(ears: Ears) -> None:
    ears.hear(recovery(action=ARN))
    assert ears.counted == [Recovery("unknown", "recovered", None)]


def test_a_recovery_that_nobody_heard_of_is_not_counted_yet(
    ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Finding) -> Decision:
        raise AlertNotDelivered("SNS is away.")

    monkeypatch.setattr(ears, "report", fails)
    with pytest.raises(AlertNotDelivered):
        ears.hear(recovery())
    assert ears.counted == []
