"""Operations on the values of a secret and their labels."""

from __future__ import annotations

from typing import Any

from local.account.secretsmanager import dates, engine, labels
from local.account.secretsmanager.errors import (
    ExistsError,
    NotFoundError,
    ParameterError,
    RequestError,
)
from local.account.secretsmanager.labels import CURRENT
from local.account.secretsmanager.store import (
    Secret,
    Version,
    changed,
    existing,
    moment,
    today,
    usable,
    writable,
)

Request = dict[str, Any]
VALUES = ("SecretString", "SecretBinary")


def identity(secret: Secret, **more: Any) -> dict[str, Any]:
    """What every answer about a secret begins with."""
    return {"ARN": secret["ARN"], "Name": secret["Name"], **more}


def value_in(request: Request) -> Version | None:
    """The value that a request carries; None without one. Raises ParameterError for two."""
    given = {member: request[member] for member in VALUES if request.get(member) is not None}
    if len(given) == len(VALUES):
        raise ParameterError(
            "You can't specify both a binary secret value and a string secret value "
            "in the same secret."
        )
    return {member: given.get(member) for member in VALUES} if given else None


def is_filled(version: Version) -> bool:
    return any(version.get(member) is not None for member in VALUES)


def same_value(version: Version, value: Version) -> bool:
    return all(version.get(member) == value[member] for member in VALUES)


def write(secret: Secret, version_id: str, value: Version, stages: list[str]) -> None:
    """Store a value that was not there, and let the labels follow.

    A value that somebody else writes while a rotation is not complete abandons that rotation.
    """
    labels.check_number(secret, stages)
    engine.abandon_for(secret, version_id)
    kept = secret["Versions"].get(version_id, {"Stages": []})["Stages"]
    key = secret.get("KmsKeyId")
    secret["Versions"][version_id] = {
        **value, "CreatedDate": moment(), "Stages": kept, "KmsKeyId": key
    }  # fmt: skip
    for stage in stages:
        labels.attach(secret, stage, version_id)
    if CURRENT in stages:
        dates.value_changed(secret)
    labels.forget_old_versions(secret)
    changed(secret)


def put_secret_value(request: Request) -> dict[str, Any]:
    """Idempotent: the same token with the same value does nothing, with another it fails."""
    secret, token = writable(request["SecretId"]), request["ClientRequestToken"]
    value = value_in(request)
    if value is None:
        raise RequestError("You must provide either SecretString or SecretBinary.")
    stages = request.get("VersionStages") or [CURRENT]
    if not secret["Versions"]:
        stages = [*stages, CURRENT]
    present = secret["Versions"].get(token)
    if present is None or not is_filled(present):
        write(secret, token, value, stages)
    elif not same_value(present, value):
        raise ExistsError(
            "You can't modify an existing version, you can only create a new version."
        )
    return identity(
        secret, VersionId=token, VersionStages=list(secret["Versions"][token]["Stages"])
    )


def update_secret(request: Request) -> dict[str, Any]:
    """Metadata, and with a value a new current version; a token that is in use is an error."""
    secret, token = writable(request["SecretId"]), request["ClientRequestToken"]
    value = value_in(request)
    if value is not None and token in secret["Versions"]:
        raise ExistsError(
            "You can't modify an existing version, you can only create a new version."
        )
    for member in ("Description", "KmsKeyId"):
        if member in request:
            secret[member] = request[member]
    changed(secret)
    if value is None:
        return identity(secret)
    write(secret, token, value, [CURRENT])
    return identity(secret, VersionId=token)


def get_secret_value(request: Request) -> dict[str, Any]:
    """A version that has no value yet is not found, as during a rotation's createSecret."""
    secret = usable(request["SecretId"])
    version_id, version = _asked_version(secret, request)
    secret["LastAccessedDate"] = version["LastAccessedDate"] = today()
    answer = identity(secret, VersionId=version_id, CreatedDate=version["CreatedDate"])
    answer["VersionStages"] = list(version["Stages"])
    answer.update({member: version[member] for member in VALUES if version.get(member) is not None})
    return answer


def _asked_version(secret: Secret, request: Request) -> tuple[str, Version]:
    version_id, stage = request.get("VersionId"), request.get("VersionStage")
    cause = f"VersionId: {version_id}" if version_id else f"staging label: {stage or CURRENT}"
    found = version_id or labels.holder(secret, stage or CURRENT)
    version = secret["Versions"].get(found)
    if found is None or version is None or not is_filled(version):
        raise NotFoundError(f"Secrets Manager can't find the specified secret value for {cause}")
    if stage and stage not in version["Stages"]:
        raise RequestError(
            "You provided a VersionStage that is not associated to the provided VersionId."
        )
    return found, version


def update_secret_version_stage(request: Request) -> dict[str, Any]:
    """RemoveFromVersionId must name whoever has the label: a compare-and-swap."""
    secret, stage = writable(request["SecretId"]), request["VersionStage"]
    target, source = request.get("MoveToVersionId"), request.get("RemoveFromVersionId")
    present = labels.holder(secret, stage)
    for version_id in filter(None, (target, source)):
        if version_id not in secret["Versions"]:
            raise ParameterError(f"Not a valid version: {version_id}")
    if present and present != target and not source:
        raise ParameterError(
            f"The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently "
            f"attached to version {present}, so you must explicitly reference that version in "
            "RemoveFromVersionId."
        )
    if source and source != present:
        raise ParameterError(
            f"The parameter RemoveFromVersionId is not valid. Staging label {stage} is not "
            f"attached to version {source}."
        )
    if stage == CURRENT and target is None:
        raise ParameterError(
            "You can only move staging label AWSCURRENT to a different secret version. "
            "It can't be completely removed."
        )
    _move(secret, stage, source, target)
    changed(secret)
    return identity(secret)


def _move(secret: Secret, stage: str, source: str | None, target: str | None) -> None:
    if target:
        labels.check_number(secret, [stage])
        labels.attach(secret, stage, target)
    elif source:
        labels.detach(secret, stage, source)


def list_secret_version_ids(request: Request) -> dict[str, Any]:
    secret = existing(request["SecretId"])
    listed = [
        _listed(version_id, version)
        for version_id, version in secret["Versions"].items()
        if version["Stages"] or request.get("IncludeDeprecated")
    ]
    return identity(secret, Versions=listed)


def _listed(version_id: str, version: Version) -> dict[str, Any]:
    entry = {
        "VersionId": version_id,
        "CreatedDate": version["CreatedDate"],
        "KmsKeyIds": [version.get("KmsKeyId") or "DefaultEncryptionKey"],
    }
    if version["Stages"]:
        entry["VersionStages"] = list(version["Stages"])
    if version.get("LastAccessedDate"):
        entry["LastAccessedDate"] = version["LastAccessedDate"]
    return entry
