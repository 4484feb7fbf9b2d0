"""Changes that somebody who is not Rekey made to a secret, out of CloudTrail's records."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rekey.access.shape import mapping, text
from rekey.access.value import value_updated
from rekey.alerts import topics
from rekey.alerts.finding import Finding, Kind, Reason, Severity, Status
from rekey.alerts.policies import opening
from rekey.alerts.record import Caller, event_id, happened_at, secret_arn
from rekey.alerts.text import quoted
from rekey.errors import InvalidEvent
from rekey.model import Label

ATTEMPTS = frozenset({("PutResourcePolicy", "PublicPolicyException")})
"""Calls that failed and are told nevertheless, by the error that they failed with."""
SERVED = frozenset({Label.CURRENT, Label.PREVIOUS})
ONLY_THIS_ACCOUNT = "principals of this account only"


@dataclass(frozen=True)
class Change:
    """What one record says was changed. ``of`` is the property: the topic's middle part."""

    kind: Kind
    of: str
    did: str
    baseline: str
    observed: str
    raised: Severity | None = None
    status: Status = Status.OPEN


@dataclass(frozen=True)
class Call:
    """A call that changes secrets: what was asked, what was answered, in which account."""

    asked: Mapping[str, Any]
    answered: Mapping[str, Any]
    account: str
    error: str


def finding(detail: Mapping[str, Any], ours: frozenset[str]) -> Finding | None:
    """Return what a person should know of a record; None if there is nothing.

    ``detail`` is that of an event of the type ``AWS API Call via CloudTrail`` or ``AWS Service
    Event via CloudTrail``. ``ours`` are the ARNs of roles whose changes nobody needs to hear of.
    Raises InvalidEvent if the record lacks what every record has.
    """
    judge = JUDGES.get(text(detail, "eventName"))
    if text(detail, "eventSource") != "secretsmanager.amazonaws.com" or judge is None:
        return None
    caller = Caller.of(detail)
    if caller.is_service or caller.is_one_of(ours) or _changed_nothing(detail):
        return None
    change = judge(_call(detail))
    return None if change is None else _found(detail, caller, change)


def _changed_nothing(detail: Mapping[str, Any]) -> bool:
    error = text(detail, "errorCode")
    return error != "" and (text(detail, "eventName"), error) not in ATTEMPTS


def _call(detail: Mapping[str, Any]) -> Call:
    return Call(
        mapping(detail, "requestParameters"),
        mapping(detail, "responseElements"),
        text(detail, "recipientAccountId"),
        text(detail, "errorCode"),
    )


def _found(detail: Mapping[str, Any], caller: Caller, change: Change) -> Finding:
    arn = secret_arn(detail)
    named = text(mapping(detail, "requestParameters"), "secretId")
    if not (arn or named):
        raise InvalidEvent("The record names no secret.")
    place = f"{text(detail, 'recipientAccountId')}/{text(detail, 'awsRegion')}"
    about = "" if arn else f" The call names the secret {quoted(named)}."
    return Finding(
        kind=change.kind,
        topic=topics.change(change.of, arn or f"{place}/{named}"),
        occurrence=event_id(detail),
        when=happened_at(detail),
        what=f"{caller} {change.did}.{about}",
        secret=arn,
        reasons=(
            Reason("What was changed", change.baseline, change.observed),
            Reason("Who did it", "a role of Rekey", _origin(detail, caller)),
        ),
        raised=change.raised,
        status=change.status,
    )


def _origin(detail: Mapping[str, Any], caller: Caller) -> str:
    address, agent = text(detail, "sourceIPAddress"), text(detail, "userAgent")
    return f"{caller} from {quoted(address)} with {quoted(agent)}"


def _cancelled(_: Call) -> Change | None:
    return Change(
        Kind.ROTATION_CANCELLED, "rotation", "switched the rotation off", "enabled", "disabled"
    )


def _rotation(call: Call) -> Change | None:
    """RotateSecret only starts a rotation unless it names a function or a schedule."""
    function, rules = call.asked.get("rotationLambdaARN"), call.asked.get("rotationRules")
    if not (function or rules):
        return None
    seen = [f"function {quoted(function)}"] if function else []
    seen += [f"{name} {quoted(value)}" for name, value in _members(rules)]
    return Change(
        Kind.ROTATION_CHANGED,
        "rotation",
        "set the rotation function" if function else "set the rotation schedule",
        "what was set before",
        ", ".join(seen),
        Severity.HIGH if function else None,
    )


def _label(call: Call) -> Change | None:
    label = text(call.asked, "versionStage")
    source, target = text(call.asked, "removeFromVersionId"), text(call.asked, "moveToVersionId")
    return Change(
        Kind.LABEL_MOVED,
        f"label-{label}",
        f"moved the label {quoted(label)}",
        f"on the version {quoted(source)}" if source else "where it was, if anywhere",
        f"on the version {quoted(target)}" if target else "on no version",
        None if label in SERVED or label.startswith("REKEY_") else Severity.LOW,
    )


def _value(call: Call) -> Change | None:
    """A version that only waits (AWSPENDING) changes nothing yet: its promotion will be told."""
    stages = call.asked.get("versionStages") or [Label.CURRENT]
    if stages == [Label.PENDING]:
        return None
    return _written(call, ", ".join(map(str, stages)))


def _written(call: Call, stages: str) -> Change:
    version = text(call.answered, "versionId") or text(call.asked, "clientRequestToken")
    return Change(
        Kind.VALUE_WRITTEN,
        "value",
        "wrote a value",
        "values are written by the rotation function",
        f"version {quoted(version)} with the labels {quoted(stages)}",
    )


def _updated(call: Call) -> Change | None:
    """UpdateSecret writes a value, or a description, or sets another key."""
    if key := text(call.asked, "kmsKeyId"):
        elsewhere = key.startswith("arn:") and f":{call.account}:" not in key
        return Change(
            Kind.KEY_CHANGED,
            "key",
            "set another encryption key",
            "the key that was set before",
            f"{quoted(key)}, of another account" if elsewhere else quoted(key),
            Severity.HIGH if elsewhere else None,
        )
    return _written(call, Label.CURRENT) if value_updated(call.asked, call.answered) else None


def _policy(call: Call) -> Change | None:
    """A policy that Secrets Manager refused because it was public is an attempt worth knowing."""
    if call.error:
        did = "tried to set a public resource policy, and was refused"
        return _opened(did, "every AWS account; blocked by Secrets Manager", Severity.MEDIUM)
    did, new = "set a resource policy", opening(call.asked.get("resourcePolicy"), call.account)
    if not new.readable:
        return _opened(did, "a policy that cannot be read", Severity.MEDIUM)
    if new.everybody:
        return _opened(did, "every AWS account", Severity.CRITICAL)
    if new.outsiders:
        return _opened(did, ", ".join(map(quoted, new.outsiders)))
    return _opened(did, ONLY_THIS_ACCOUNT, status=Status.SOLVED)


def _policy_gone(_: Call) -> Change | None:
    return _opened("deleted the resource policy", "no resource policy", status=Status.SOLVED)


def _opened(
    did: str, observed: str, raised: Severity | None = None, status: Status = Status.OPEN
) -> Change:
    return Change(Kind.POLICY_OPENED, "policy", did, ONLY_THIS_ACCOUNT, observed, raised, status)


def _deleted(call: Call) -> Change | None:
    if call.asked.get("forceDeleteWithoutRecovery") in (True, "true"):
        return Change(
            Kind.DELETED, "deletion", "deleted the secret for good", "a recovery window of 7 days "
            "or more", "no recovery window", Severity.CRITICAL,
        )  # fmt: skip
    days = call.asked.get("recoveryWindowInDays", 30)
    until = text(call.answered, "deletionDate")
    return Change(
        Kind.DELETED,
        "deletion",
        "deleted the secret",
        "not deleted",
        f"can be restored for {quoted(days)} days" + (f", until {quoted(until)}" if until else ""),
    )


def _restored(_: Call) -> Change | None:
    return Change(
        Kind.RESTORED,
        "deletion",
        "restored the deleted secret",
        "deleted",
        "can be read again",
        status=Status.SOLVED,
    )


def _replicated(call: Call) -> Change | None:
    wanted = call.asked.get("addReplicaRegions")
    regions = [text(item, "region") for item in wanted] if isinstance(wanted, list) else []
    return Change(
        Kind.REPLICATION_STARTED,
        "replication",
        "started replication",
        "the regions that were set before",
        f"also to {', '.join(map(quoted, regions)) or 'another account or region'}",
    )


def _to_another_account(call: Call) -> Change | None:
    """It has every version from now on, whatever this account's policies say of it."""
    anywhere = text(call.asked, "replicaRestriction") == "NoRestriction"
    return Change(
        Kind.REPLICATION_STARTED,
        "replication",
        "started replication to another account",
        "this account only",
        f"also to {quoted(_replica(call))}"
        + (", which may be outside of the organisation" if anywhere else ""),
        Severity.CRITICAL if anywhere else Severity.HIGH,
    )


def _no_longer_to_another_account(call: Call) -> Change | None:
    return _stopped(f"no longer to {quoted(_replica(call))}")


def _replica(call: Call) -> str:
    return text(call.asked, "crossAccountReplicaARN") or "another account"


def _removed(call: Call) -> Change | None:
    return _stopped(f"no longer to {quoted(call.asked.get('removeReplicaRegions'))}")


def _detached(_: Call) -> Change | None:
    return _stopped("the replica is a secret of its own from now on")


def _stopped(observed: str) -> Change | None:
    return Change(
        Kind.REPLICATION_STOPPED,
        "replication",
        "stopped replication",
        "the regions that were set before",
        observed,
    )


def _members(document: object) -> list[tuple[str, Any]]:
    return sorted(document.items()) if isinstance(document, dict) else []


JUDGES: Mapping[str, Callable[[Call], Change | None]] = {
    "CancelRotateSecret": _cancelled,
    "RotateSecret": _rotation,
    "UpdateSecretVersionStage": _label,
    "PutSecretValue": _value,
    "UpdateSecret": _updated,
    "PutResourcePolicy": _policy,
    "DeleteResourcePolicy": _policy_gone,
    "DeleteSecret": _deleted,
    "RestoreSecret": _restored,
    "ReplicateSecretToRegions": _replicated,
    "AssociateCrossAccountReplica": _to_another_account,
    "DisassociateCrossAccountReplica": _no_longer_to_another_account,
    "RemoveRegionsFromReplication": _removed,
    "StopReplicationToReplica": _detached,
}
