"""Operations on secrets as a whole: create, describe, tag, delete, restore."""

from __future__ import annotations

import secrets
import string
from functools import partial
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import secretsmanager

from local.account import clock, cloudtrail
from local.account.secretsmanager import dates, engine, labels
from local.account.secretsmanager.errors import ExistsError, ParameterError, RequestError
from local.account.secretsmanager.labels import CURRENT
from local.account.secretsmanager.store import (
    Secret,
    afterwards,
    changed,
    existing,
    moment,
    writable,
)
from local.account.secretsmanager.versions import (
    Request,
    identity,
    is_filled,
    same_value,
    value_in,
    write,
)

_SUFFIX = string.ascii_letters + string.digits
DAY = 86400
RECOVERY_DAYS = range(7, 31)


def create_secret(request: Request) -> dict[str, Any]:
    """Without a value there is no version. Idempotent for the same token and value."""
    name, token, value = request["Name"], request["ClientRequestToken"], value_in(request)
    if (present := secretsmanager._secrets.get(name)) is not None:
        return _created_before(present, token, value)
    secret = _new(name, Description=request.get("Description"), KmsKeyId=request.get("KmsKeyId"))
    if request.get("Tags"):
        secret["Tags"] = list(request["Tags"])
    secretsmanager._secrets[name] = secret
    _replicate(request)
    if value is None:
        return identity(secret)
    write(secret, token, value, [CURRENT])
    return identity(secret, VersionId=token)


def _new(name: str, **members: str | None) -> Secret:
    suffix = "".join(secrets.choice(_SUFFIX) for _ in range(6))
    place = f"{get_region()}:{get_account_id()}"
    return {
        "ARN": f"arn:aws:secretsmanager:{place}:secret:{name}-{suffix}",
        "Name": name,
        **members,
        "CreatedDate": moment(),
        "LastChangedDate": moment(),
        "ReplicationStatus": [],
        "Versions": {},
    }


def _created_before(secret: Secret, token: str, value: Any) -> dict[str, Any]:
    if secret.get("DeletedDate"):
        raise RequestError(
            "You can't create this secret because a secret with this name is already scheduled "
            "for deletion."
        )
    version = secret["Versions"].get(token)
    if version and value and is_filled(version) and same_value(version, value):
        return identity(secret, VersionId=token)
    raise ExistsError(f"The operation failed because the secret {secret['Name']} already exists.")


def _replicate(request: Request) -> None:
    if request.get("AddReplicaRegions"):
        secretsmanager._replicate_secret_to_regions(
            {"SecretId": request["Name"], "AddReplicaRegions": request["AddReplicaRegions"]}
        )


def described(secret: Secret) -> dict[str, Any]:
    """What DescribeSecret and ListSecrets both say; members without a value are left out."""
    answer = identity(secret, CreatedDate=secret["CreatedDate"])
    for member in (
        "Description",
        "KmsKeyId",
        "LastChangedDate",
        "LastAccessedDate",
        "DeletedDate",
        "RotationLambdaARN",
        "RotationRules",
    ):
        if secret.get(member):
            answer[member] = secret[member]
    if secret.get("RotationLambdaARN"):
        answer["RotationEnabled"] = bool(secret.get("RotationEnabled"))
    if secret.get("Tags") is not None:
        answer["Tags"] = secret["Tags"]
    if secret.get("_PrimaryRegion"):
        answer["PrimaryRegion"] = secret["_PrimaryRegion"]
    return {**answer, **dates.reported(secret)}


def describe_secret(request: Request) -> dict[str, Any]:
    secret = existing(request["SecretId"])
    answer = described(secret)
    if stages := labels.to_versions(secret):
        answer["VersionIdsToStages"] = stages
    if secret.get("ReplicationStatus"):
        answer["ReplicationStatus"] = secret["ReplicationStatus"]
    return answer


def tag_resource(request: Request) -> dict[str, Any]:
    secret = writable(request["SecretId"])
    tags = {tag["Key"]: tag for tag in secret.get("Tags") or []}
    secret["Tags"] = list({**tags, **{tag["Key"]: tag for tag in request["Tags"]}}.values())
    changed(secret)
    return {}


def untag_resource(request: Request) -> dict[str, Any]:
    secret = writable(request["SecretId"])
    secret["Tags"] = [t for t in secret.get("Tags") or [] if t["Key"] not in request["TagKeys"]]
    changed(secret)
    return {}


def delete_secret(request: Request) -> dict[str, Any]:
    """Recorded: forcing the deletion of what does not exist succeeds all the same."""
    force, days = request.get("ForceDeleteWithoutRecovery"), request.get("RecoveryWindowInDays")
    if force and days is not None:
        raise ParameterError(
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
        )
    if days is not None and days not in RECOVERY_DAYS:
        raise ParameterError(
            "RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
        )
    if force and not secretsmanager._resolve(request["SecretId"])[1]:
        return identity(_new(request["SecretId"]), DeletionDate=moment())
    secret = existing(request["SecretId"]) if force else writable(request["SecretId"])
    engine.cancel(secret)
    _announce("StartSecretVersionDelete", secret)
    if force:
        purge(secret)
        return identity(secret, DeletionDate=moment())
    secret["DeletedDate"] = moment() + (RECOVERY_DAYS[-1] if days is None else days) * DAY
    changed(secret)
    return identity(secret, DeletionDate=secret["DeletedDate"])


def restore_secret(request: Request) -> dict[str, Any]:
    secret = existing(request["SecretId"])
    if secret.pop("DeletedDate", None):
        _announce("CancelSecretVersionDelete", secret)
    changed(secret)
    return identity(secret)


def purge(secret: Secret) -> None:
    """Take the secret and everything that hangs on it out of the store."""
    secretsmanager._purge_secret(secret["Name"], secret)
    _announce("EndSecretVersionDelete", secret)


def purge_if_over(secret: Secret) -> None:
    """The recovery window of a deleted secret has passed."""
    if secret.get("DeletedDate") and secret["DeletedDate"] <= clock.now():
        purge(secret)


def _announce(name: str, secret: Secret) -> None:
    afterwards(partial(cloudtrail.record_service_event, name, secret["ARN"]))
