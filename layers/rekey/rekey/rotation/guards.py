"""What must be true before a step acts. Each guard raises, and nothing has been changed then."""

import re

from rekey.credential import Credential
from rekey.errors import (
    IntentMissing,
    InvalidSecretValue,
    RotationDisabled,
    RotationHalted,
    SuperuserMismatch,
    UnsupportedEngine,
    VersionNotPending,
    VersionRejected,
    VersionUnknown,
)
from rekey.model import HALTED_TAG, Label, SecretMetadata, Strategy, is_halted
from rekey.ports import Engine
from rekey.rotation.strategy import alternating_users

RDS_PROXY = re.compile(
    r"\.proxy-[0-9a-z]+\.[0-9a-z-]+\.rds\.amazonaws\.com(\.cn)?\.?$", re.IGNORECASE
)
START_ANEW = (
    "Take AWSPENDING off the pending version (UpdateSecretVersionStage with RemoveFromVersionId), "
    "then call RotateSecret."
)
"""CancelRotateSecret would not do: it leaves AWSPENDING where it is, and as long as that stands
on a version of its own, RotateSecret goes on with the old rotation.

Source: Secrets Manager API, CancelRotateSecret and RotateSecret.
"""


def is_current(metadata: SecretMetadata, token: str) -> bool:
    """Tell whether the rotation is already over, so that a repeated step has nothing to do."""
    return Label.CURRENT in metadata.labels.get(token, ())


def check_pending(metadata: SecretMetadata, token: str) -> None:
    """Check that this rotation may go on: enabled, known, pending, not rejected."""
    if not metadata.rotation_enabled:
        raise RotationDisabled("Rotation is not enabled for this secret. Call RotateSecret first.")
    if token not in metadata.labels:
        raise VersionUnknown("The token is no version of this secret. Start a new rotation.")
    check_not_rejected(metadata.labels[token])
    if Label.PENDING not in metadata.labels[token]:
        raise VersionNotPending(
            "The version does not carry AWSPENDING: the rotation was abandoned. Start a new one."
        )


def check_not_halted(metadata: SecretMetadata) -> None:
    """Check that no recovery has stopped the rotations of this secret until a person looks."""
    if is_halted(metadata.tags):
        raise RotationHalted(
            f"Too many rotations have failed in a row. Find out why, take the tag {HALTED_TAG} off "
            "the secret, and rotate again."
        )


def check_not_rejected(labels: frozenset[str]) -> None:
    """Check that no roll back has ruled the version out."""
    if Label.REJECTED in labels:
        raise VersionRejected("This version was rolled back. Start a new rotation.")


def check_intent(labels: frozenset[str]) -> None:
    """Check that createSecret of this function wrote the version."""
    if Label.INTENT not in labels:
        raise IntentMissing(
            "createSecret has not stored this version. Secrets Manager repeats the rotation from "
            "createSecret; if it has given up, start a new rotation."
        )


def check_engine(credential: Credential, engine: Engine) -> None:
    """Check that the function serves the credential's engine."""
    if credential.engine not in engine.names:
        raise UnsupportedEngine(
            f'The key "engine" must be one of {", ".join(sorted(engine.names))} for this function.'
        )


def check_host(credential: Credential) -> None:
    """Check that logins are judged by the server itself.

    An RDS Proxy judges them by the secret's AWSCURRENT: there, a new password logs in only once it
    is promoted, and a rotation promotes only what logs in.

    Source: Amazon RDS User Guide, "Setting up database credentials for RDS Proxy".
    """
    if RDS_PROXY.search(credential.host):
        raise InvalidSecretValue(
            'The key "host" names an RDS Proxy, which takes a new password only once it is '
            "AWSCURRENT. Store the endpoint of the instance, or the cluster's writer endpoint; "
            "applications may connect to the proxy all the same."
        )


def same_server(one: Credential, other: Credential, engine: Engine) -> bool:
    """Tell whether two credentials are for one server. Host names ignore case (RFC 4343)."""
    return (one.host.lower(), one.port or engine.default_port) == (
        other.host.lower(),
        other.port or engine.default_port,
    )


def same_target(
    current: Credential, pending: Credential, strategy: Strategy | None, engine: Engine
) -> bool:
    """Tell whether the new value is for the same server, and for the user that comes next.

    Otherwise whoever may write the secret could have a superuser act elsewhere.
    """
    follows = current.username
    if strategy is Strategy.ALTERNATING_USERS:
        follows = alternating_users(current.username, engine).peer(current.username)
    return same_server(current, pending, engine) and pending.username == follows


def check_superuser(
    superuser: Credential, current: Credential, engine: Engine, *, secret_arn: str
) -> None:
    """Check that the superuser is for the server of ``current``, and neither of its users."""
    check_engine(superuser, engine)
    base = current.username.removesuffix(engine.clone_suffix)
    if current.superuser_arn == secret_arn or superuser.username in (
        base,
        base + engine.clone_suffix,
    ):
        raise SuperuserMismatch(
            'The key "masterarn" leads to the same user. Name the secret of a superuser.'
        )
    if not same_server(superuser, current, engine):
        raise SuperuserMismatch(
            "The superuser secret is for another host or port than this secret. Store the same "
            "host and port in both."
        )
