"""Read the pending version: one call on the happy path, and the reason where it fails."""

from rekey.errors import VersionNotReadable
from rekey.model import Label, SecretVersion, Step
from rekey.rotation.context import Rotation
from rekey.rotation.guards import check_intent, check_not_rejected, check_pending, is_current

CONSISTENCY_DELAYS = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds between reads of a value that was stored but cannot be seen yet."""


def read_pending(rotation: Rotation) -> SecretVersion | None:
    """Return the pending version, or None if it is AWSCURRENT already.

    Reading by version id and AWSPENDING at once proves the label.
    """
    version = rotation.store.get_version(rotation.arn, rotation.token, Label.PENDING)
    if version is None:
        version = _unreadable(rotation)
    if version is None or Label.CURRENT in version.labels:
        return None
    check_not_rejected(version.labels)
    return version


def _unreadable(rotation: Rotation) -> SecretVersion | None:
    """Find out why: over already, not ours to touch, no value, or not visible yet."""
    metadata = rotation.store.describe(rotation.arn)
    if is_current(metadata, rotation.token):
        return None
    check_pending(metadata, rotation.token)
    labels = metadata.labels[rotation.token]
    if Label.INTENT not in labels and rotation.request.step is Step.TEST:
        # A test rotation whose version has no value: what counts is the current credential.
        current = rotation.store.get_labelled(rotation.arn, Label.CURRENT)
        return SecretVersion(rotation.token, labels, current.value)
    check_intent(labels)
    return wait_for_value(rotation, rotation.token, Label.PENDING)


def wait_for_value(rotation: Rotation, version_id: str, label: Label) -> SecretVersion:
    """Read again until the stored value can be seen: reads are eventually consistent."""
    for delay in CONSISTENCY_DELAYS:
        rotation.sleep(delay)
        version = rotation.store.get_version(rotation.arn, version_id, label)
        if version is not None:
            return version
    raise VersionNotReadable(
        f"The version {version_id} has the label {label}, but its value cannot be read yet. "
        "Secrets Manager repeats the rotation."
    )
