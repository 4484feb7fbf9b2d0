"""One CloudTrail record to what it says.

Nothing here raises, whatever the record: one that is not understood must not take the rest of its
batch along. Sources: CloudTrail user guide, "CloudTrail record contents"; Secrets Manager user
guide, "Secrets Manager CloudTrail entries".
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from rekey.access.batch import catches_all
from rekey.access.event import (
    Access,
    Action,
    Normalised,
    Outcome,
    Promotion,
    Refusal,
    RefusalReason,
)
from rekey.access.network import Asns, Network, network, no_asns
from rekey.access.principal import SECRETS_MANAGER, Principal, principal
from rekey.access.secret import SecretNames, denied_resource, secret_arn
from rekey.access.shape import mapping, strings, text, texts
from rekey.access.tool import CONSOLE, Tool, tool
from rekey.access.value import value_updated
from rekey.known import DECOY_TAG

OTHERS = (
    "AssociateCrossAccountReplica",
    "CancelRotateSecret",
    "DeleteResourcePolicy",
    "DeleteSecret",
    "DisassociateCrossAccountReplica",
    "GetResourcePolicy",
    "ListResourcePolicies",
    "ListSecretVersionIds",
    "PutResourcePolicy",
    "RemoveRegionsFromReplication",
    "ReplicateSecretToRegions",
    "RestoreSecret",
    "RotateSecret",
    "StopReplicationToReplica",
    "TagResource",
    "UntagResource",
    "ValidateResourcePolicy",
)
"""Calls that name a secret, and neither read it nor move AWSCURRENT."""
ACTIONS = {
    **{(SECRETS_MANAGER, name): Action.OTHER for name in OTHERS},
    (SECRETS_MANAGER, "GetSecretValue"): Action.READ,
    (SECRETS_MANAGER, "BatchGetSecretValue"): Action.BATCH,
    (SECRETS_MANAGER, "ListSecrets"): Action.LIST,
    (SECRETS_MANAGER, "DescribeSecret"): Action.DESCRIBE,
    ("kms.amazonaws.com", "Decrypt"): Action.DECRYPT,
}
ON_ONE = frozenset({Action.READ, Action.DESCRIBE})
LABEL_MOVED = (SECRETS_MANAGER, "UpdateSecretVersionStage")
VALUE_WRITTEN = (SECRETS_MANAGER, "PutSecretValue")
UPDATED = (SECRETS_MANAGER, "UpdateSecret")
PROMOTIONS = frozenset({LABEL_MOVED, VALUE_WRITTEN, UPDATED})
ENVELOPE = ("eventID", "sharedEventID", "eventTime", "awsRegion", "recipientAccountId")
ORIGIN = ("sourceIPAddress", "vpcEndpointId", "sessionCredentialFromConsole", "userAgent")
KEY_CHECK = "RequestToValidateKeyAccess"
DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
OTHER_ERRORS = {
    "DecryptionFailure": Outcome.KEY_DENIED,
    "ResourceNotFoundException": Outcome.NOT_FOUND,
}
# What GetSecretValue says when it may read the secret and not use its key.
KEY_WORDS = ("access to kms is not allowed", "perform: kms:")
MFA = {"true": True, "false": False}
MAX_DETAIL = 80
MAX_ID = 64
"""Characters of a version's id, and more than any region has."""


def normalise(record: object, names: SecretNames, asn_of: Asns = no_asns) -> Normalised:
    """Return the accesses of a record, the promotion that it tells of, or why it is refused.

    A batch that lists its secrets makes one access a secret. Everything else makes one, or none.
    """
    if not isinstance(record, dict):
        return Refusal(RefusalReason.NOT_AN_OBJECT, type(record).__name__)
    source, name = strings(record, "eventSource", "eventName")
    call = (source, name)
    action = ACTIONS.get(call)
    if action is None and call not in PROMOTIONS:
        return Refusal(RefusalReason.UNKNOWN_CALL, ":".join(call)[:MAX_DETAIL])
    envelope = _envelope(record)
    if isinstance(envelope, Refusal):
        return envelope
    if action is None:
        return _written(record, envelope, names, asn_of)
    if action is Action.OTHER:
        return _touches(record, envelope, names, asn_of)
    if action is Action.DECRYPT:
        return _decrypt(record, envelope, names)
    return _call(record, envelope, action, names, asn_of)


class _Envelope(NamedTuple):
    """What every record has to say."""

    event_id: str
    at: int
    principal: Principal
    region: str
    account: str
    outcome: Outcome
    session: Mapping[str, Any]


def _envelope(record: Mapping[str, Any]) -> _Envelope | Refusal:
    own_id, shared_id, time, region, recipient = strings(record, *ENVELOPE)
    # Deliveries to other accounts have event ids of their own, and share this one. A record that
    # corrects another names that.
    event_id = shared_id or text(mapping(record, "addendum"), "originalEventID") or own_id
    at = _seconds(time)
    identity = mapping(record, "userIdentity")
    # What a service calls with is no session that somebody has logged in to.
    session = mapping(identity, "sessionContext") if "invokedBy" not in identity else {}
    caller = principal(identity)
    if not event_id:
        return Refusal(RefusalReason.NO_EVENT_ID, text(record, "eventName"))
    if at is None:
        return Refusal(RefusalReason.NO_TIME, event_id[:MAX_DETAIL])
    if caller is None:
        return Refusal(RefusalReason.NO_IDENTITY, event_id[:MAX_DETAIL])
    if not region:
        return Refusal(RefusalReason.NO_REGION, event_id[:MAX_DETAIL])
    return _Envelope(
        event_id,
        at,
        caller,
        region[:MAX_ID],
        recipient or caller.account,
        _outcome(record),
        mapping(session, "attributes"),
    )


# Records come by the second, and what is read together arrives together.
@lru_cache(maxsize=1024)
def _seconds(time: str) -> int | None:
    try:
        return int(datetime.fromisoformat(time).timestamp())
    except (ValueError, OverflowError):
        return None


def _outcome(record: Mapping[str, Any]) -> Outcome:
    if record.get("errorCode") is None:
        return Outcome.DONE
    code, message = text(record, "errorCode"), text(record, "errorMessage").lower()
    if code in DENIED:
        about_key = any(words in message for words in KEY_WORDS)
        return Outcome.KEY_DENIED if about_key else Outcome.DENIED
    return OTHER_ERRORS.get(code, Outcome.FAILED)


def _call(
    record: Mapping[str, Any], about: _Envelope, action: Action, names: SecretNames, asn_of: Asns
) -> Normalised:
    asked = mapping(record, "requestParameters")
    given = texts(asked, "secretIdList") or tuple(filter(None, (text(asked, "secretId"),)))
    if not given and about.outcome is not Outcome.DONE:
        given = tuple(filter(None, (denied_resource(text(record, "errorMessage")),)))
    found = [secret_arn(name, about.region, about.account, names) for name in given]
    arns = tuple(dict.fromkeys(filter(None, found)))
    # None is a fault only where the call works on one.
    needs_one = action in ON_ONE and about.outcome is Outcome.DONE
    if needs_one and not arns:
        return Refusal(RefusalReason.NO_SECRET, about.event_id[:MAX_DETAIL])
    origin = _origin(record, asn_of)
    return tuple([_access(about, action, arn, asked, origin) for arn in arns or (None,)])


def _origin(record: Mapping[str, Any], asn_of: Asns) -> tuple[Network, Tool]:
    address, endpoint, by_console, agent = strings(record, *ORIGIN)
    source = network(address, endpoint, asn_of)
    return source, CONSOLE if by_console == "true" else tool(agent)


def _access(
    about: _Envelope,
    action: Action,
    arn: str | None,
    asked: Mapping[str, Any],
    origin: tuple[Network, Tool] | None,
) -> Access:
    """By position: this runs for every event, and names cost as much as the rest."""
    source, used = origin or (None, None)
    version, stage = strings(asked, "versionId", "versionStage")
    return Access(
        about.event_id,
        about.at,
        action,
        about.outcome,
        about.principal,
        source,
        used,
        about.region,
        about.account,
        arn,
        version[:MAX_ID] or None,
        stage or None,
        used is CONSOLE,
        MFA.get(text(about.session, "mfaAuthenticated")),
        action is Action.BATCH and catches_all(asked),
    )


def _decrypt(record: Mapping[str, Any], about: _Envelope, names: SecretNames) -> Normalised:
    """The companion of a read: the only record that says which version was given out.

    The key's use for anything but a secret is none of ours, and a check of the key is no read. Who
    uses a key himself may write a secret's ARN into the context: only the service's word counts.
    """
    if not text(mapping(record, "userIdentity"), "invokedBy").startswith(SECRETS_MANAGER):
        return ()
    context = mapping(mapping(record, "requestParameters"), "encryptionContext")
    arn, version = text(context, "SecretARN"), text(context, "SecretVersionId")
    if not arn or version == KEY_CHECK:
        return ()
    if about.outcome is Outcome.DENIED:
        about = about._replace(outcome=Outcome.KEY_DENIED)
    # Looked up as any other: that is how a decoy is known that a batch has read by a filter.
    arn = names.full_arn(arn) or arn
    return (_access(about, Action.DECRYPT, arn, {"versionId": version}, None),)


def _touches(
    record: Mapping[str, Any], about: _Envelope, names: SecretNames, asn_of: Asns
) -> tuple[Access, ...]:
    """A call that names a secret and is no read. To make a decoy is no touch of one."""
    asked = mapping(record, "requestParameters")
    tag = _decoy_tag(text(record, "eventName"), asked)
    found = _call(record, about, Action.OTHER, names, asn_of)
    if tag is True or not isinstance(found, tuple):
        return ()
    disarms = tag is False and about.outcome is Outcome.DONE
    return tuple(access._replace(disarms=disarms) for access in found if access.secret)


def _decoy_tag(call: str, asked: Mapping[str, Any]) -> bool | None:
    """Return whether a call puts the tag of a decoy on or takes it off; None if neither."""
    if call == "UntagResource":
        return False if DECOY_TAG in texts(asked, "tagKeys") else None
    tags = asked.get("tags") if call == "TagResource" else None
    given = [tag for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    values = [text(tag, "value") for tag in given if text(tag, "key") == DECOY_TAG]
    return values[-1] != "false" if values else None


def _written(
    record: Mapping[str, Any], about: _Envelope, names: SecretNames, asn_of: Asns
) -> Normalised:
    """A call that may move AWSCURRENT, and touches the secret in any case."""
    touches = _touches(record, about, names, asn_of)
    asked, answered = mapping(record, "requestParameters"), mapping(record, "responseElements")
    if about.outcome is not Outcome.DONE or not _promotes(record, asked, answered):
        return touches
    arn = touches[0].secret if touches else None
    if arn is None:
        return Refusal(RefusalReason.NO_SECRET, about.event_id[:MAX_DETAIL])
    written = text(answered, "versionId") or text(asked, "clientRequestToken")
    gained = (text(asked, "moveToVersionId") or written)[:MAX_ID] or None
    lost = text(asked, "removeFromVersionId")[:MAX_ID] or None
    return Promotion(about.event_id, about.at, arn, gained, lost, touches)


def _promotes(
    record: Mapping[str, Any], asked: Mapping[str, Any], answered: Mapping[str, Any]
) -> bool:
    """Only AWSCURRENT counts. PutSecretValue moves it unless it is told otherwise."""
    if text(record, "eventName") == "UpdateSecret":
        return value_updated(asked, answered)
    return "AWSCURRENT" in (
        texts(asked, "versionStages") or (text(asked, "versionStage") or "AWSCURRENT",)
    )
