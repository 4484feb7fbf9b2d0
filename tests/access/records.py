"""Real records, and records in the shape of real ones."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Record = dict[str, Any]

DATA = Path(__file__).parent / "data"
ACCOUNT, REGION = "111122223333", "eu-west-1"
MORNING = 1_780_300_800  # 2026-06-01 08:00 UTC, a Monday
SECRETS_MANAGER = "secretsmanager.amazonaws.com"
DENIED = "User: {user} is not authorized to perform: secretsmanager:{call}"
BECAUSE = " because no identity-based policy allows the secretsmanager:{call} action"
_ids = itertools.count(1)


def real(path: str) -> list[Record]:
    document = json.loads((DATA / path).read_text())
    return document if isinstance(document, list) else document.get("Records", [document])


def recorded() -> list[Record]:
    """Every real record, in the order of the files."""
    return [record for path in sorted(DATA.rglob("*.json")) for record in real(str(path))]


def arn(name: str, ending: str = "AbCdEf", *, region: str = REGION, account: str = ACCOUNT) -> str:
    return f"arn:aws:secretsmanager:{region}:{account}:secret:{name}-{ending}"


def role(name: str, session: str = "i-0a1b2c3d4e5f", account: str = ACCOUNT, **more: Any) -> Record:
    """The identity of a role's session; `more` are attributes of the session."""
    path = "" if not name.startswith("AWSReservedSSO_") else "aws-reserved/sso.amazonaws.com/"
    return {
        "type": "AssumedRole",
        "principalId": f"AROA{name.upper()[:12]}:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
        "accountId": account,
        "accessKeyId": "ASIAEXAMPLE",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "arn": f"arn:aws:iam::{account}:role/{path}{name}",
                "accountId": account,
                "userName": name,
            },
            "attributes": {"mfaAuthenticated": "false", **more},
        },
    }


def user(name: str, account: str = ACCOUNT) -> Record:
    return {
        "type": "IAMUser",
        "principalId": f"AIDA{name.upper()[:12]}",
        "arn": f"arn:aws:iam::{account}:user/{name}",
        "accountId": account,
        "accessKeyId": "AKIAEXAMPLE",
        "userName": name,
    }


def person(name: str, permission_set: str = "Developer", **more: Any) -> Record:
    """Somebody who comes through IAM Identity Center."""
    return role(f"AWSReservedSSO_{permission_set}_0123456789abcdef", name, **more)


def record(name: str = "GetSecretValue", **members: Any) -> Record:
    """A call that worked, as CloudTrail records it; `members` replace what is said otherwise."""
    made: Record = {
        "eventVersion": "1.09",
        "userIdentity": role("app"),
        "eventTime": stamp(MORNING),
        "eventSource": SECRETS_MANAGER,
        "eventName": name,
        "awsRegion": REGION,
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "Boto3/1.34.1 md/Botocore#1.34.1 ua/2.0 os/linux#5.10 lang/python#3.12.1",
        "requestParameters": {"secretId": arn("prod/db")},
        "responseElements": None,
        "requestID": "b9c3d881-1e77-426c-abd3-5ca20d903380",
        "eventID": f"00000000-0000-4000-8000-{next(_ids):012x}",
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }
    return {**made, **members}


def denied(secret: str | None, name: str = "GetSecretValue", **members: Any) -> Record:
    """A call that was denied: the secret stands in the text alone, as the caller named it."""
    identity = members.get("userIdentity", role("app"))
    on = f" on resource: {secret}" if secret else ""
    text = DENIED.format(user=identity["arn"], call=name) + on + BECAUSE.format(call=name)
    refusal = {"errorCode": "AccessDenied", "errorMessage": text, "requestParameters": None}
    return record(name, **{**refusal, **members})


def decrypt(secret: str, version: str, **members: Any) -> Record:
    """The companion of a read."""
    identity = {**members.pop("userIdentity", role("app")), "invokedBy": SECRETS_MANAGER}
    context = {"SecretARN": secret, "SecretVersionId": version}
    origin = {"sourceIPAddress": SECRETS_MANAGER, "userAgent": SECRETS_MANAGER}
    asked = {"encryptionContext": context, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"}
    made = {"eventSource": "kms.amazonaws.com", "requestParameters": asked, **origin}
    return record("Decrypt", **{**made, "userIdentity": identity, **members})


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
