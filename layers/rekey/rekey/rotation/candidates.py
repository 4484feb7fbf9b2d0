"""The versions of a secret that may serve: read, and judged without a login."""

from dataclasses import dataclass, field

from rekey.credential import Credential
from rekey.errors import (
    CredentialMismatch,
    IntentMissing,
    RekeyError,
    VersionNotReadable,
    VersionRejected,
)
from rekey.model import Happened, Label, SecretMetadata, SecretVersion, Strategy
from rekey.rotation.context import Rotation
from rekey.rotation.guards import same_server, same_target
from rekey.rotation.strategy import choose_strategy


@dataclass(frozen=True)
class Candidate:
    """A version, and either its credential or why it cannot be used."""

    version_id: str
    credential: Credential | None = field(default=None, repr=False)
    fault: RekeyError | None = None


@dataclass(frozen=True)
class Candidates:
    """``counted`` is the version whose labels tell how many logins were refused."""

    strategy: Strategy
    counted: SecretVersion
    current: Candidate | None
    pending: Candidate | None
    previous: Candidate | None


def read_candidates(rotation: Rotation, metadata: SecretMetadata) -> Candidates:
    """Read the versions that labels point to; what is wrong with one is noted, not raised.

    AWSCURRENT and AWSPENDING must be there to be read: what Secrets Manager says of them is raised,
    and asked for again. AWSPREVIOUS may have become unreadable since, and is seldom needed.
    """
    current_id, pending_id = metadata.holder(Label.CURRENT), unfinished(metadata)
    current = _read(rotation, current_id)
    counted = _counted(rotation, current_id, pending_id)
    strategy = _strategy(rotation, metadata, pending_id, current)
    return Candidates(
        strategy,
        SecretVersion(counted, metadata.labels.get(counted, frozenset()), value=""),
        current,
        _pending(rotation, metadata, _read(rotation, pending_id), current),
        _previous(rotation, metadata, strategy, current),
    )


def _counted(rotation: Rotation, current_id: str | None, pending_id: str | None) -> str:
    """Count on the version that failed; what a person asks anew is counted apart."""
    if rotation.request.circumstances.happened is Happened.BY_HAND:
        return current_id or rotation.token
    return pending_id or current_id or rotation.token


def unfinished(metadata: SecretMetadata) -> str | None:
    """Return the version with AWSPENDING, else the one that an interruption left."""
    current = metadata.holder(Label.CURRENT)
    pending, intent = metadata.holder(Label.PENDING), metadata.holder(Label.INTENT)
    if pending not in (None, current):
        return pending
    if intent is None or {Label.CURRENT, Label.PREVIOUS, Label.REJECTED} & metadata.labels[intent]:
        return None
    return intent


def _read(rotation: Rotation, version_id: str | None) -> Candidate | None:
    if version_id is None:
        return None
    version = rotation.store.get_version(rotation.arn, version_id)
    if version is None:
        return Candidate(version_id, fault=VersionNotReadable("It has no value."))
    try:
        return Candidate(version_id, rotation.credential(version))
    except RekeyError as fault:
        return Candidate(version_id, fault=fault)


def _read_former(rotation: Rotation, version_id: str | None) -> Candidate | None:
    """Read it if that can be done: its key may be disabled by now, or denied to the function."""
    try:
        return _read(rotation, version_id)
    except RekeyError as fault:
        return Candidate(version_id or "", fault=fault)


def _strategy(
    rotation: Rotation, metadata: SecretMetadata, pending_id: str | None, current: Candidate | None
) -> Strategy:
    """Return what createSecret chose, or what the secret asks for."""
    told = metadata.strategy(pending_id) if pending_id is not None else None
    if told is not None or current is None or current.credential is None:
        return told or Strategy.SINGLE_USER
    try:
        return choose_strategy(metadata.tags, current.credential, rotation.engine)
    except RekeyError:
        return Strategy.SINGLE_USER


def _pending(
    rotation: Rotation,
    metadata: SecretMetadata,
    read: Candidate | None,
    current: Candidate | None,
) -> Candidate | None:
    """Rule out what rollForward would refuse to promote."""
    if read is None or read.credential is None:
        return read
    labels, strategy = metadata.labels[read.version_id], metadata.strategy(read.version_id)
    fault: RekeyError | None = None
    if Label.REJECTED in labels:
        fault = VersionRejected("It was rolled back.")
    elif Label.INTENT not in labels:
        fault = IntentMissing("createSecret has not stored it.")
    elif current is None or current.credential is None:
        fault = CredentialMismatch("There is nothing that it could follow.")
    elif not same_target(current.credential, read.credential, strategy, rotation.engine):
        fault = CredentialMismatch("It is for another server or user.")
    return Candidate(read.version_id, read.credential, fault)


def _previous(
    rotation: Rotation, metadata: SecretMetadata, strategy: Strategy, current: Candidate | None
) -> Candidate | None:
    """Rule out what rollBack would refuse to bring back."""
    read = _read_former(rotation, metadata.holder(Label.PREVIOUS))
    if read is None or read.credential is None:
        return read
    fault: RekeyError | None = None
    if Label.REJECTED in metadata.labels[read.version_id]:
        fault = VersionRejected("It was rolled back.")
    elif current is None or current.credential is None:
        fault = CredentialMismatch("There is nothing to compare it with.")
    elif not _of_the_same(rotation, strategy, current.credential, read.credential):
        fault = CredentialMismatch("It is for another server or user.")
    return Candidate(read.version_id, read.credential, fault)


def _of_the_same(
    rotation: Rotation, strategy: Strategy, one: Credential, other: Credential
) -> bool:
    suffix = rotation.engine.clone_suffix if strategy is Strategy.ALTERNATING_USERS else ""
    users = {credential.username.removesuffix(suffix) for credential in (one, other)}
    return len(users) == 1 and same_server(one, other, rotation.engine)
