"""The calls that Secrets Manager makes of KMS in its caller's name.

Source: Secrets Manager user guide, "Secret encryption and decryption". For the same reading or
writing they have the caller's identity and the same second, and nothing else in common with it.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import secretsmanager

from local.account.cloudtrail.parameters import Parameters
from local.account.cloudtrail.records import Origin, Outcome, api_call
from local.account.cloudtrail.trail import Record

SERVICE = "secretsmanager.amazonaws.com"
_WRITES = frozenset({"CreateSecret", "PutSecretValue", "UpdateSecret"})
_READS = frozenset({"GetSecretValue", "BatchGetSecretValue"})


def of_call(origin: Origin, name: str, request: Parameters | None, body: bytes) -> list[Record]:
    """Records for a call of Secrets Manager that worked; `request` as sent, `body` the answer."""
    if name in _READS:
        answer = json.loads(body)
        return [
            _use(origin, "Decrypt", _version(read), {})
            for read in answer.get("SecretValues", [answer])
        ]
    if name in _WRITES and request and {"SecretString", "SecretBinary"} & request.keys():
        written = _version(json.loads(body))
        key = {"keySpec": "AES_256", "keyId": _key_name(written["SecretARN"])}
        return [_use(origin, "GenerateDataKey", written, key)]
    return []


def _version(answer: dict[str, Any]) -> dict[str, str]:
    return {"SecretARN": answer["ARN"], "SecretVersionId": answer["VersionId"]}


def _use(origin: Origin, name: str, version: dict[str, str], more: Parameters) -> Record:
    parameters = {
        "encryptionContext": version,
        **(more or {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}),
    }
    made = api_call(
        origin.by(SERVICE),
        "kms",
        name,
        Outcome(parameters=parameters),
        read_only=True,
        request_id=new_uuid(),
    )
    key = _key_arn(origin, _key_name(version["SecretARN"]))
    made["resources"] = [{"accountId": origin.account, "type": "AWS::KMS::Key", "ARN": key}]
    return made


def _key_name(secret_arn: str) -> str:
    _, secret = secretsmanager._resolve(secret_arn)
    return str((secret or {}).get("KmsKeyId") or "alias/aws/secretsmanager")


def _key_arn(origin: Origin, name: str) -> str:
    """An alias stands for a key here that has an ARN of its own but does not exist."""
    if ":key/" in name:
        return name
    prefix = f"arn:aws:kms:{origin.region}:{origin.account}:key/"
    key_id = name if "/" not in name else str(uuid.uuid5(uuid.NAMESPACE_URL, prefix + name))
    return prefix + key_id
