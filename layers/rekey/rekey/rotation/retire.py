"""retire: after a dual-password rotation, make every password but AWSCURRENT's stop working."""

from rekey.errors import LabelMoved
from rekey.model import Label, Outcome, SecretMetadata, SecretVersion, StepResult, Strategy
from rekey.ports import OnePassword
from rekey.rotation.context import Rotation
from rekey.rotation.logins import Logins
from rekey.rotation.overtaken import check_not_overtaken
from rekey.rotation.retirement import When, busy, held, retirement
from rekey.rotation.superuser import connect_superuser


def retire(rotation: Rotation) -> StepResult:
    """Retire what the promotion of the version has left; harmless to repeat.

    The labels are judged twice: before the first login, and once nobody else can change the user.
    What happens after that waits for the lock, and finds AWSCURRENT's password in its place.
    """
    metadata = rotation.store.describe(rotation.arn)
    if (obstacle := _obstacle(rotation, metadata)) is not None:
        return obstacle
    current = rotation.store.get_labelled(rotation.arn, Label.CURRENT)
    if current.version_id != rotation.token:
        raise LabelMoved("AWSCURRENT has just moved. The workflow asks again.")
    # Refused logins are counted on the version that the step is about, as while rotating.
    logins = rotation.logins(current)
    # Proves that whoever wrote the secret owns the account (a confused deputy, see set_secret).
    logins.connect(rotation.credential(current)).close()
    return _alone(rotation, logins, current)


def _alone(rotation: Rotation, logins: Logins, current: SecretVersion) -> StepResult:
    """Act under the lock; then let AWSCURRENT log in, so that no failure can go unseen."""
    credential = rotation.credential(current)
    user = credential.username
    with connect_superuser(rotation, logins, credential) as superuser, superuser.alone(user):
        metadata = rotation.store.describe(rotation.arn)
        if (obstacle := _obstacle(rotation, metadata)) is not None:
            return obstacle
        every = _all_hosts(metadata)
        superuser.retire(OnePassword(user, credential.password, every))
        check_not_overtaken(rotation, superuser, current, (current.version_id,), all_hosts=every)
    logins.connect(credential).close()
    return StepResult(
        Outcome.RETIRED,
        "AWSCURRENT logs in, and no other password of the user does.",
        Strategy.DUAL_PASSWORD,
    )


def _obstacle(rotation: Rotation, metadata: SecretMetadata) -> StepResult | None:
    judged = retirement(metadata, rotation.token)
    if judged.when is When.NEVER:
        return StepResult(Outcome.SUPERSEDED, judged.reason)
    if (reason := busy(metadata)) is not None:
        return StepResult(Outcome.BUSY, reason)
    if (reason := held(metadata)) is not None:
        return StepResult(Outcome.HELD, reason)
    return None


def _all_hosts(metadata: SecretMetadata) -> bool:
    """Tell whether the rotation that gave the user two passwords did so for every account."""
    holder = metadata.holder(Label.DUAL_PASSWORD)
    return holder is not None and Label.ALL_HOSTS in metadata.labels[holder]
