"""Staging labels: each stands on one version at most, and some move others.

Source: API reference of PutSecretValue and UpdateSecretVersionStage, and recordings of the service.
"""

from __future__ import annotations

from functools import partial

from ministack.services import secretsmanager

from local.account import clock
from local.account.secretsmanager.errors import LimitError
from local.account.secretsmanager.store import Secret, afterwards

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
# Quota "Staging labels attached across all versions of the secret".
MOST_LABELS = 20
# Quota "Versions per secret", without those younger than a day.
MOST_VERSIONS = 100
YOUNG = 86400


def holder(secret: Secret, label: str) -> str | None:
    """The version that has this label."""
    for version_id, version in secret["Versions"].items():
        if label in version["Stages"]:
            return str(version_id)
    return None


def attach(secret: Secret, label: str, version_id: str) -> None:
    """Move the label here from wherever it stands.

    Where AWSCURRENT leaves, AWSPREVIOUS arrives, and AWSPENDING goes if it stands there.
    """
    before = holder(secret, label)
    if before == version_id:
        return
    if before is not None:
        detach(secret, label, before)
    _add(secret, label, version_id)
    if label == CURRENT and before is not None:
        detach(secret, PENDING, before)
        _leave(secret, PREVIOUS)
        _add(secret, PREVIOUS, before)
    if label not in (PENDING, PREVIOUS):
        # Known in "Secrets Manager event notifications" as the native event of the service.
        afterwards(partial(secretsmanager._emit_secret_label_updated, secret, label, version_id))


def detach(secret: Secret, label: str, version_id: str) -> None:
    """Take the label off this version, if it has it."""
    stages = secret["Versions"][version_id]["Stages"]
    secret["Versions"][version_id]["Stages"] = [stage for stage in stages if stage != label]


def _leave(secret: Secret, label: str) -> None:
    if (before := holder(secret, label)) is not None:
        detach(secret, label, before)


def _add(secret: Secret, label: str, version_id: str) -> None:
    version = secret["Versions"][version_id]
    version["Stages"] = sorted({*version["Stages"], label})


def check_number(secret: Secret, wanted: list[str]) -> None:
    """Raises LimitError if these labels were too many, together with those that stand."""
    standing = {label for version in secret["Versions"].values() for label in version["Stages"]}
    if len(standing | set(wanted)) > MOST_LABELS:
        raise LimitError("You have exceeded the number of staging labels attached to a secret.")


def to_versions(secret: Secret) -> dict[str, list[str]]:
    """VersionIdsToStages: versions without a label are deprecated and not listed."""
    return {
        version_id: list(version["Stages"])
        for version_id, version in secret["Versions"].items()
        if version["Stages"]
    }


def forget_old_versions(secret: Secret) -> None:
    """The service removes versions without labels beyond the quota, if they are a day old."""
    old = sorted(
        (version["CreatedDate"], version_id)
        for version_id, version in secret["Versions"].items()
        if not version["Stages"] and version["CreatedDate"] < clock.now() - YOUNG
    )
    for _, version_id in old[: max(0, len(secret["Versions"]) - MOST_VERSIONS)]:
        del secret["Versions"][version_id]
