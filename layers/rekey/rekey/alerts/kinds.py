"""Every kind of finding: how severe it is, what it is called, and what to do about it.

The only place for wording. ``docs/operations.md`` has a heading for each title.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum, unique

from rekey.incident import Severity


@unique
class Kind(StrEnum):
    """What was found. The values are part of the messages' documented schema."""

    ROTATION_FAILED = "rotation-failed"
    RECOVERED = "recovered"
    HALTED = "halted"
    NEEDS_PERSON = "needs-person"
    OVERDUE = "overdue"
    STUCK_PENDING = "stuck-pending"
    NEVER_ROTATED = "never-rotated"
    CAMPAIGN_RESULT = "campaign-result"
    MANY_AT_ONCE = "many-at-once"

    ROTATION_CANCELLED = "rotation-cancelled"
    ROTATION_CHANGED = "rotation-changed"
    LABEL_MOVED = "label-moved"
    VALUE_WRITTEN = "value-written"
    POLICY_OPENED = "policy-opened"
    DELETED = "deleted"
    RESTORED = "restored"
    REPLICATION_STARTED = "replication-started"
    REPLICATION_STOPPED = "replication-stopped"
    REPLICATION_FAILED = "replication-failed"
    KEY_CHANGED = "key-changed"

    NO_TRAIL = "no-trail"
    READS_NOT_LOGGED = "reads-not-logged"
    KMS_NOT_LOGGED = "kms-not-logged"
    CANARY_NOT_SEEN = "canary-not-seen"

    UNUSUAL_ACCESS = "unusual-access"
    NOT_RENEWED = "not-renewed"
    OLD_PASSWORD_KEPT = "old-password-kept"  # noqa: S105 - the name of a kind

    WEEKLY_DIGEST = "weekly-digest"


@dataclass(frozen=True)
class Wording:
    """What is said of a kind.

    ``severity`` counts unless a finding states its own. ``quiet`` is how long an incident that
    nobody has solved goes on: what comes later is a new one. ``alone`` tells whether people hear
    of a finding that is solved on arrival, even if nobody was told of its beginning. ``fades``: it
    ends by going quiet, which proves nothing, so that what comes late and weighs more still counts.
    ``grows``: another occurrence has more to tell than the one before, and is told as an update.
    ``late``: it is told even if its end came first, as nobody knows what it was used for.
    """

    title: str
    severity: Severity
    next_steps: tuple[str, ...]
    quiet: timedelta
    alone: bool = False
    fades: bool = False
    grows: bool = False
    late: bool = False


_DAY = timedelta(days=1)
_WEEKS = timedelta(days=30)
"""Of what the sweep looks at every day: an incident must outlive the days between two sweeps."""

_WHO = "Ask the person or team behind the principal whether this was meant."
_SINCE = (
    "If it was not: revoke the principal's sessions, and look at its other calls in CloudTrail."
)

KINDS: Mapping[Kind, Wording] = {
    Kind.ROTATION_FAILED: Wording(
        "Rotation failed",
        Severity.MEDIUM,
        (
            "Look up the error's name in docs/troubleshooting.md and put its cause right.",
            "Start the rotation again: aws secretsmanager rotate-secret --secret-id with the ARN.",
        ),
        _WEEKS,
    ),
    Kind.RECOVERED: Wording(
        "Rotation failed and was recovered",
        Severity.LOW,
        ("Nothing has to be done now. Read the cause, so that it does not happen again.",),
        _WEEKS,
        alone=True,
    ),
    Kind.HALTED: Wording(
        "Rotation halted",
        Severity.HIGH,
        (
            "Put the cause right; the reasons name it.",
            "Take the tag rekey:halted off the secret. Until then Rekey does not touch it.",
            "Start the rotation again: aws secretsmanager rotate-secret --secret-id with the ARN.",
        ),
        _WEEKS,
    ),
    Kind.NEEDS_PERSON: Wording(
        "A person is needed",
        Severity.HIGH,
        ("Follow the runbook in docs/operations.md. Rekey has stopped and waits.",),
        _WEEKS,
    ),
    Kind.OVERDUE: Wording(
        "Rotation overdue",
        Severity.MEDIUM,
        (
            "Look into the rotation function's log for the secret's ARN.",
            "Start the rotation: aws secretsmanager rotate-secret --secret-id with the ARN.",
        ),
        _WEEKS,
    ),
    Kind.STUCK_PENDING: Wording(
        "Rotation stuck",
        Severity.MEDIUM,
        (
            "Find out in the rotation function's log why the rotation did not end.",
            "Take AWSPENDING off that version, then start the rotation again.",
            "How: docs/troubleshooting.md, The rotation stays in AWSPENDING.",
        ),
        _WEEKS,
    ),
    Kind.NEVER_ROTATED: Wording(
        "Never rotated",
        Severity.MEDIUM,
        (
            "Check that the rotation function exists and lets Secrets Manager invoke it.",
            "Start the rotation: aws secretsmanager rotate-secret --secret-id with the ARN.",
        ),
        _WEEKS,
    ),
    Kind.CAMPAIGN_RESULT: Wording(
        "Result of a rotation of many",
        Severity.INFORMATIONAL,
        ("Read the output of the execution: it says what became of each secret.",),
        _DAY,
        alone=True,
    ),
    Kind.MANY_AT_ONCE: Wording(
        "Many at once",
        Severity.HIGH,
        (
            "Look for what they have in common: a function, a role, a network, a server.",
            "All of them, by name: docs/operations.md, Many at once.",
        ),
        _DAY,
    ),
    Kind.ROTATION_CANCELLED: Wording(
        "Rotation switched off",
        Severity.MEDIUM,
        (_WHO, "Switch it on again: aws secretsmanager rotate-secret with the schedule."),
        _DAY,
    ),
    Kind.ROTATION_CHANGED: Wording(
        "Rotation function or schedule changed",
        Severity.MEDIUM,
        (_WHO, "If it was not: set the former function and schedule with rotate-secret.", _SINCE),
        _DAY,
    ),
    Kind.LABEL_MOVED: Wording(
        "Staging label moved by hand",
        Severity.MEDIUM,
        (_WHO, "Check that AWSCURRENT stands on the version that consumers should use.", _SINCE),
        _DAY,
    ),
    Kind.VALUE_WRITTEN: Wording(
        "Value written by hand",
        Severity.MEDIUM,
        (_WHO, "Check that the new value logs in. Consumers get it from now on.", _SINCE),
        _DAY,
    ),
    Kind.POLICY_OPENED: Wording(
        "Resource policy opened",
        Severity.HIGH,
        (
            "Unless it was meant: take the statement out with put-resource-policy.",
            "If others could read it: rotate the secret, and look for their reads in CloudTrail.",
            _WHO,
        ),
        _DAY,
        late=True,
    ),
    Kind.DELETED: Wording(
        "Secret deleted",
        Severity.MEDIUM,
        (_WHO, "Within the recovery window: aws secretsmanager restore-secret.", _SINCE),
        _WEEKS,
        late=True,
    ),
    Kind.RESTORED: Wording(
        "Deleted secret restored",
        Severity.LOW,
        ("Check that its rotation is enabled: aws secretsmanager describe-secret.",),
        _DAY,
        alone=True,
    ),
    Kind.REPLICATION_STARTED: Wording(
        "Replication started",
        Severity.MEDIUM,
        (
            _WHO,
            "If it was not: aws secretsmanager remove-regions-from-replication.",
            "Of another account: aws secretsmanager disassociate-cross-account-replica.",
            _SINCE,
        ),
        _DAY,
    ),
    Kind.REPLICATION_STOPPED: Wording(
        "Replication stopped",
        Severity.MEDIUM,
        (_WHO, "Check what reads the secret there: it gets no new version any more."),
        _DAY,
    ),
    Kind.REPLICATION_FAILED: Wording(
        "Replication failed",
        Severity.HIGH,
        (
            "Read StatusMessage in the answer of aws secretsmanager describe-secret.",
            "Until it is put right, the replica's readers get an old version.",
        ),
        _DAY,
    ),
    Kind.KEY_CHANGED: Wording(
        "Encryption key changed",
        Severity.MEDIUM,
        (_WHO, "Check that consumers and the rotation function may use the new key.", _SINCE),
        _DAY,
    ),
    Kind.NO_TRAIL: Wording(
        "No trail logs this region",
        Severity.HIGH,
        ("Create or start a trail with management events for this region.",),
        _WEEKS,
    ),
    Kind.READS_NOT_LOGGED: Wording(
        "Reads of secrets are not logged",
        Severity.HIGH,
        ("Let the trail log management events of the type Read.",),
        _WEEKS,
    ),
    Kind.KMS_NOT_LOGGED: Wording(
        "Uses of keys are not logged",
        Severity.MEDIUM,
        (
            "Let the trail include events of AWS KMS.",
            "Without them nobody sees which version of a secret was read.",
        ),
        _WEEKS,
    ),
    Kind.CANARY_NOT_SEEN: Wording(
        "The canary's read did not arrive",
        Severity.HIGH,
        (
            "Check the trail, the state of the rules, and the dead letters, in this order.",
            "Until it is put right, reads of secrets may go unseen.",
        ),
        _WEEKS,
    ),
    Kind.UNUSUAL_ACCESS: Wording(
        "Unusual access to secrets",
        Severity.LOW,
        (
            _WHO,
            "If it was not: revoke its sessions, rotate what it read, and see its other calls.",
            "If it was, and comes again: suppress it for a time, docs/detection.md.",
        ),
        # It is closed after two quiet days; the look that closes it may itself be late.
        timedelta(days=7),
        fades=True,
        grows=True,
    ),
    Kind.NOT_RENEWED: Wording(
        "Consumers without the new version",
        Severity.MEDIUM,
        (
            "Let what the table names read AWSCURRENT again: restart it, or deploy it anew.",
            "If it asks for AWSPREVIOUS or for a version by its id: let it ask for AWSCURRENT.",
            "What is silent may have gone. If so, nothing has to be done.",
        ),
        _WEEKS,
    ),
    Kind.OLD_PASSWORD_KEPT: Wording(
        "Old password kept for its consumers",
        Severity.HIGH,
        (
            "Let what the table names read AWSCURRENT again: restart it, or deploy it anew.",
            "Then retire the old password by hand: docs/strategies.md, Retire by hand.",
            "If it has leaked, do not wait for them: retire it now.",
        ),
        _WEEKS,
    ),
    Kind.WEEKLY_DIGEST: Wording(
        "Weekly digest",
        Severity.INFORMATIONAL,
        (
            'Take back what is not meant any more: make suppressions OPTIONS="remove NAME".',
            "Put right what was told before and still stands: halted secrets, blindness.",
        ),
        timedelta(days=7),
    ),
}
