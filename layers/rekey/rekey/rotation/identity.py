"""Log in, and check whom the server takes the login for."""

from collections.abc import Callable

from rekey.credential import Credential
from rekey.model import SecretMetadata, SecretVersion, Strategy
from rekey.ports import Connection
from rekey.rotation.context import Rotation
from rekey.rotation.strategy import alternating_users, choose_strategy


def strategy_of(
    rotation: Rotation, metadata: SecretMetadata, version: SecretVersion, credential: Credential
) -> Strategy:
    """Return the strategy that made a version, or the one that its secret asks for.

    The labels that tell it stand on the newest version only.
    """
    return version.strategy or choose_strategy(metadata.tags, credential, rotation.engine)


def check_login(
    rotation: Rotation,
    connect: Callable[[Credential], Connection],
    credential: Credential,
    strategy: Strategy,
) -> None:
    """Log in. Raises LoginError, DatabaseError, or PrivilegesDiffer."""
    acts_as = credential.username
    if strategy is Strategy.ALTERNATING_USERS:
        acts_as = alternating_users(credential.username, rotation.engine).base
    with connect(credential) as connection:
        connection.check_identity(credential.username, acts_as)
