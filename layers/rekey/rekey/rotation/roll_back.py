"""rollBack: make the former version serve again, and rule the bad one out.

The order keeps out a step of Secrets Manager that comes meanwhile: the bad version is rejected and
loses AWSPENDING before the server changes, so that every guard fails from then on. A step that was
already past its guards ends within the function's time limit. The state machine waits that long
and asks again, until labels and server agree.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from rekey.credential import Credential
from rekey.errors import (
    CredentialMismatch,
    CredentialsRejected,
    MissingPrivilege,
    NothingToRollBackTo,
    VersionNotReadable,
)
from rekey.model import Label, Outcome, SecretMetadata, SecretVersion, StepResult, Strategy
from rekey.ports import Connection, PeerChange, TwoPasswords
from rekey.rotation.context import Rotation
from rekey.rotation.guards import same_server
from rekey.rotation.identity import check_login, strategy_of
from rekey.rotation.logins import Logins
from rekey.rotation.restore import stop_rotation
from rekey.rotation.strategy import all_hosts, alternating_users
from rekey.rotation.superuser import connect_superuser


@dataclass(frozen=True)
class RollBack:
    """What is to be done: from which version to which, as the labels say."""

    rotation: Rotation
    metadata: SecretMetadata
    bad: SecretVersion
    good: SecretVersion
    rejected: Credential
    wanted: Credential
    strategy: Strategy
    logins: Logins

    @property
    def is_current(self) -> bool:
        """Whether AWSCURRENT still stands on the bad version."""
        return self.metadata.holder(Label.CURRENT) == self.bad.version_id

    @property
    def moved(self) -> bool:
        """Whether an earlier call has moved the labels already."""
        return not self.is_current and Label.REJECTED in self.bad.labels


def roll_back(rotation: Rotation) -> StepResult:
    """Reject the version that the step is about; nothing is touched unless a login shows the way.

    Harmless to repeat: what was done is looked at again, and done again where it was undone. The
    fact ``undone`` tells whether the version is out of use: yes, no, or that there is nothing.
    """
    metadata = rotation.store.describe(rotation.arn)
    if _has_no_value(rotation, metadata):
        return _stop(rotation, metadata)
    good = _former(metadata, rotation.token)
    if Label.REJECTED in metadata.labels[good]:
        return _rejected_before(metadata)
    change = _read(rotation, metadata, good)
    with _way(change) as connection:
        if connection is None and change.moved:
            return _result(change, Outcome.NOTHING_TO_DO, "AWSCURRENT logs in, as it should.")
        _fence(change)
        if connection is not None:
            _change_server(change, connection)
            check_login(rotation, change.logins.connect, change.wanted, change.strategy)
    if change.is_current:
        rotation.store.move_label(
            rotation.arn, Label.CURRENT, to=good, removed_from=change.bad.version_id
        )
    return _result(change, Outcome.DONE, "The former version is AWSCURRENT again, and logs in.")


def _result(change: RollBack, outcome: Outcome, reason: str) -> StepResult:
    facts = {"currentVersionId": change.good.version_id, "undone": "yes"}
    return StepResult(outcome, reason, change.strategy, facts)


def _has_no_value(rotation: Rotation, metadata: SecretMetadata) -> bool:
    """Tell whether createSecret has stored nothing: its labels come together with the value."""
    labels = metadata.labels.get(rotation.token, frozenset())
    return (
        labels <= {Label.PENDING}
        and rotation.store.get_version(rotation.arn, rotation.token) is None
    )


def _stop(rotation: Rotation, metadata: SecretMetadata) -> StepResult:
    """Let Secrets Manager not go on with a rotation that was to be undone."""
    facts = {"currentVersionId": metadata.holder(Label.CURRENT) or "", "undone": "nothing"}
    if metadata.holder(Label.PENDING) != rotation.token:
        reason = "createSecret has stored no value: nothing is to be undone."
        return StepResult(Outcome.NOTHING_TO_DO, reason, facts=facts)
    stop_rotation(rotation, metadata)
    return StepResult(Outcome.DONE, "AWSPENDING is off the version.", facts=facts)


def _rejected_before(metadata: SecretMetadata) -> StepResult:
    return StepResult(
        Outcome.NOTHING_TO_DO,
        "AWSPREVIOUS is the version that an earlier roll back has rejected. Nothing was changed.",
        facts={"currentVersionId": metadata.holder(Label.CURRENT) or "", "undone": "no"},
    )


def _former(metadata: SecretMetadata, bad: str) -> str:
    """Return the version that shall serve: AWSPREVIOUS, or AWSCURRENT if another one is bad."""
    current = metadata.holder(Label.CURRENT)
    good = metadata.holder(Label.PREVIOUS) if current == bad else current
    if good is None:
        raise NothingToRollBackTo("No version has the label AWSPREVIOUS. Nothing was changed.")
    return good


def _read(rotation: Rotation, metadata: SecretMetadata, good_id: str) -> RollBack:
    bad, good = _version(rotation, rotation.token), _version(rotation, good_id)
    rejected, wanted = rotation.credential(bad), rotation.credential(good)
    strategy = strategy_of(rotation, metadata, bad, rejected)
    users = {rejected.username}
    if strategy is Strategy.ALTERNATING_USERS:
        users.add(alternating_users(rejected.username, rotation.engine).peer(rejected.username))
    if wanted.username not in users or not same_server(rejected, wanted, rotation.engine):
        raise CredentialMismatch(
            "The former version is for another server or user. Nothing was changed."
        )
    logins = rotation.logins(bad)
    return RollBack(rotation, metadata, bad, good, rejected, wanted, strategy, logins)


def _version(rotation: Rotation, version_id: str) -> SecretVersion:
    version = rotation.store.get_version(rotation.arn, version_id)
    if version is None:
        raise VersionNotReadable(
            f"The version {version_id} has no value that can be read. Nothing was changed."
        )
    return version


def _way(change: RollBack) -> AbstractContextManager[Connection | None]:
    """Log in with whichever of the two is let in, the likelier one first.

    None means that the former version logs in with its rights: the server is as it should be.
    """
    if change.strategy is Strategy.SINGLE_USER and change.is_current:
        try:
            return change.logins.connect(change.rejected)
        except CredentialsRejected:
            check_login(change.rotation, change.logins.connect, change.wanted, change.strategy)
            return nullcontext()
    try:
        check_login(change.rotation, change.logins.connect, change.wanted, change.strategy)
    except CredentialsRejected:
        return change.logins.connect(change.rejected)
    return nullcontext()


def _fence(change: RollBack) -> None:
    """Reject the bad version, and take AWSPENDING away: first from a rotation under way.

    There is one label for rejected versions. A version that loses it must not stay AWSPREVIOUS:
    the next roll back would bring it back.
    """
    store, arn, metadata = change.rotation.store, change.rotation.arn, change.metadata
    bad, holder = change.bad.version_id, metadata.holder(Label.REJECTED)
    if Label.PENDING not in change.bad.labels:
        stop_rotation(change.rotation, metadata)
    if holder is not None and holder != bad and Label.PREVIOUS in metadata.labels[holder]:
        store.move_label(arn, Label.PREVIOUS, to=None, removed_from=holder)
    if holder != bad:
        store.move_label(arn, Label.REJECTED, to=bad, removed_from=holder)
    if Label.PENDING in change.bad.labels:
        stop_rotation(change.rotation, metadata)


def _change_server(change: RollBack, connection: Connection) -> None:
    """Make the former password work again.

    The login with the version's own credential proves that the account belongs to the secret;
    only then a superuser is used (a confused deputy, see set_secret).
    """
    match change.strategy:
        case Strategy.SINGLE_USER:
            _set_own_password(change, connection)
        case Strategy.ALTERNATING_USERS:
            users = alternating_users(change.wanted.username, change.rotation.engine)
            username, password = change.wanted.username, change.wanted.password
            every = all_hosts(change.metadata.tags)
            peer = PeerChange(users.base, users.clone, username, password, every)
            with connect_superuser(change.rotation, change.logins, change.rejected) as superuser:
                superuser.provide_peer(peer)
        case Strategy.DUAL_PASSWORD:
            _give_both(change)


def _set_own_password(change: RollBack, connection: Connection) -> None:
    wanted, every = change.wanted, all_hosts(change.metadata.tags)
    try:
        connection.set_password(wanted.username, wanted.password, all_hosts=every)
    except MissingPrivilege:
        if change.rejected.superuser_arn is None:
            raise
        with connect_superuser(change.rotation, change.logins, change.rejected) as superuser:
            superuser.set_password(wanted.username, wanted.password, all_hosts=every)


def _give_both(change: RollBack) -> None:
    """Let both passwords log in: who reads AWSCURRENT before and after it moves is served."""
    user = change.wanted.username
    both = TwoPasswords(
        user, change.rejected.password, change.wanted.password, all_hosts(change.metadata.tags)
    )
    with (
        connect_superuser(change.rotation, change.logins, change.rejected) as superuser,
        superuser.alone(user),
    ):
        superuser.set_two_passwords(both)
