"""What a rotation cannot do without: its API calls, its logins, its statements, and no decision.

`script.json` beside this file holds the statements of one rotation, as they were recorded.
"""

import base64
import functools
import json
import secrets
import socket
import ssl
from pathlib import Path
from typing import Any

import boto3
import pg8000.native
import scramp

SCRIPT = json.loads(Path(__file__).with_name("script.json").read_text())
CLIENT = boto3.client("secretsmanager")

Event = dict[str, str]


def handler(event: Event, _: object) -> None:
    STEPS[event["Step"]](event["SecretId"], event["ClientRequestToken"], event["RotationToken"])


def create(arn: str, token: str, rotation_token: str) -> None:
    CLIENT.describe_secret(SecretId=arn)
    current = _current(arn)
    pending = current | {
        "username": SCRIPT["next"][current["username"]],
        "password": secrets.token_urlsafe(24),
    }
    CLIENT.put_secret_value(
        SecretId=arn,
        ClientRequestToken=token,
        RotationToken=rotation_token,
        SecretString=json.dumps(pending),
        VersionStages=["AWSPENDING", "REKEY_INTENT", SCRIPT["label"]],
    )


def change(arn: str, token: str, _: str) -> None:
    pending, current = _pending(arn, token), _current(arn)
    for login in SCRIPT["setSecret"][pending["username"]]:
        credential = _current(current["masterarn"]) if login["superuser"] else current
        _replay(credential, login["statements"], pending["password"])


def test(arn: str, token: str, _: str) -> None:
    pending = _pending(arn, token)
    for login in SCRIPT["testSecret"][pending["username"]]:
        _replay(pending, login["statements"], pending["password"])


def finish(arn: str, token: str, _: str) -> None:
    versions = CLIENT.describe_secret(SecretId=arn)["VersionIdsToStages"]
    holder = next(version for version, labels in versions.items() if "AWSCURRENT" in labels)
    CLIENT.update_secret_version_stage(
        SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=holder
    )


STEPS = {"createSecret": create, "setSecret": change, "testSecret": test, "finishSecret": finish}


def _current(arn: str) -> dict[str, Any]:
    return _value(SecretId=arn, VersionStage="AWSCURRENT")


def _pending(arn: str, token: str) -> dict[str, Any]:
    return _value(SecretId=arn, VersionId=token, VersionStage="AWSPENDING")


def _value(**parameters: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(CLIENT.get_secret_value(**parameters)["SecretString"])
    return value


def _replay(credential: dict[str, Any], statements: list[Any], password: str) -> None:
    opened = socket.create_connection((credential["host"], credential["port"]))
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = pg8000.native.Connection(
        credential["username"],
        host=credential["host"],
        database="postgres",
        password=credential["password"],
        ssl_context=_context(),
        application_name="floor",
        sock=opened,
    )
    for statement, parameters in statements:
        if SCRIPT["verifier"] in statement:
            connection.run(statement.replace(SCRIPT["verifier"], _verifier(password)))
        else:
            connection.run(statement, **parameters)
    connection.close()


@functools.cache
def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    for pem in SCRIPT["certificates"]:
        context.load_verify_locations(cadata=pem)
    return context


def _verifier(password: str) -> str:
    made = scramp.ScramMechanism("SCRAM-SHA-256").make_auth_info(password, iteration_count=4096)
    salt, stored, server = (base64.b64encode(part).decode() for part in made[:3])
    return f"SCRAM-SHA-256$4096:{salt}${stored}:{server}"
