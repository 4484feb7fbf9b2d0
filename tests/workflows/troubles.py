"""Ten ways in which the rotation of one secret of a group fails, each with the error it ends in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rekey.model import Strategy
from tests.end_to_end.application import Application
from tests.end_to_end.mysql_application import MysqlApplication


@dataclass(frozen=True)
class Trouble:
    """What is done to a secret of this strategy; ``error`` is what the check says of it.

    Empty where the check finds nothing: the rotation begins, and fails. ``said`` is part of the
    reason where no error has a name.
    """

    do: Callable[[Any], None]
    error: str = ""
    said: str = ""
    strategy: Strategy = Strategy.SINGLE_USER

    def __str__(self) -> str:
        return self.do.__name__


def weaken_the_superuser(app: Application) -> None:
    """It logs in and may change nothing: the rotation begins, and fails."""
    name, password = f"{app.name}_weak", app.new_password()
    app.postgres.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
    app.client.put_secret_value(
        SecretId=app.superuser_arn, SecretString=json.dumps(app.document(name, password))
    )


def break_login(app: Application) -> None:
    """Somebody changes the password behind the secret's back."""
    app.postgres.execute(f"ALTER ROLE {app.name} PASSWORD '{app.new_password()}'")


def name_another_engine(app: Application) -> None:
    value = app.value("AWSCURRENT") | {"engine": "mongo"}
    app.client.put_secret_value(SecretId=app.arn, SecretString=json.dumps(value))


def allow_no_connection(app: Application) -> None:
    app.postgres.execute(f"ALTER ROLE {app.name} CONNECTION LIMIT 0")


def write_nonsense(app: Application) -> None:
    app.client.put_secret_value(SecretId=app.arn, SecretString="no JSON")


def name_a_port_where_nothing_listens(app: Application) -> None:
    value = app.value("AWSCURRENT") | {"port": 1}
    app.client.put_secret_value(SecretId=app.arn, SecretString=json.dumps(value))


def hide_the_superuser(app: Application) -> None:
    app.client.untag_resource(SecretId=app.superuser_arn, TagKeys=["rekey:superuser"])


def lock_the_account(app: MysqlApplication) -> None:
    app.server.execute(f"ALTER USER {app.name}@'%' ACCOUNT LOCK")


def halt(app: Application) -> None:
    app.client.tag_resource(SecretId=app.arn, Tags=[{"Key": "rekey:halted", "Value": "true"}])


def switch_rotation_off(app: Application) -> None:
    app.client.cancel_rotate_secret(SecretId=app.arn)


TROUBLES = (
    Trouble(weaken_the_superuser, strategy=Strategy.ALTERNATING_USERS),
    Trouble(break_login, "CredentialsRejected"),
    Trouble(write_nonsense, "InvalidSecretValue"),
    Trouble(lock_the_account, "AccountLocked", strategy=Strategy.DUAL_PASSWORD),
    Trouble(name_a_port_where_nothing_listens, "DatabaseUnreachable"),
    Trouble(hide_the_superuser, "SecretAccessDenied", strategy=Strategy.ALTERNATING_USERS),
    Trouble(name_another_engine, "UnsupportedEngine"),
    Trouble(allow_no_connection, "TooManyConnections"),
    Trouble(halt, "RotationHalted"),
    Trouble(switch_rotation_off, said="Rotation is not enabled"),
)
