"""What the server says about the move."""

from collections.abc import Iterator

from pg8000.native import identifier

from local.migration.findings import Finding, failure, note, stop
from local.migration.observation import Peer, Secret
from rekey.credential import Credential


def database_findings(secret: Secret, credential: Credential | None) -> Iterator[Finding]:
    """Findings about the server, if it was looked at."""
    database = secret.database
    if database is None or credential is None:
        return
    if database.login:
        yield failure("From this machine, AWSCURRENT does not log in. ", database.login)
    if database.passwords_restricted:
        yield _restricted(credential)
    if database.superuser_login:
        yield failure(
            "From this machine, the superuser does not log in. ", database.superuser_login
        )
    if database.peer:
        yield from _peer_findings(database.peer)


def _restricted(credential: Credential) -> Finding:
    text = (
        f"rds.restrict_password_commands is on, and {credential.username} is no member of "
        "rds_password: it may not change its own password."
    )
    if credential.superuser_arn:
        return note(f"{text} The superuser changes it.")
    return stop(
        f"MissingPrivilege: {text}",
        f"GRANT rds_password TO {identifier(credential.username)};\n"
        'Or add "masterarn" with the ARN of a superuser secret.',
    )


def _peer_findings(peer: Peer) -> Iterator[Finding]:
    if not peer.base_exists:
        yield stop(f"UserMissing: the base user {peer.base} does not exist on the server.")
        return
    if peer.base_expired:
        yield stop(
            f"AccountExpired: the VALID UNTIL of {peer.base} has passed.",
            f"ALTER ROLE {identifier(peer.base)} VALID UNTIL 'infinity';",
        )
    yield from _missing_rights(peer)
    if peer.differs:
        yield failure("", peer.differs)
    yield from _ownership(peer)


def _missing_rights(peer: Peer) -> Iterator[Finding]:
    superuser = identifier(peer.superuser)
    if not peer.may_create_roles:
        yield stop(
            f"MissingPrivilege: the superuser {peer.superuser} may not create roles.",
            f"ALTER ROLE {superuser} CREATEROLE;",
        )
    for role in peer.not_administered:
        yield stop(
            f"MissingPrivilege: the superuser {peer.superuser} may not change {role}.",
            f"GRANT {identifier(role)} TO {superuser} WITH ADMIN OPTION;",
        )
    if peer.needs_inherit:
        yield stop(
            f"MissingPrivilege: the superuser {peer.superuser} does not inherit, so it cannot hand "
            "over what the clone owns.",
            f"ALTER ROLE {superuser} INHERIT;",
        )
    for place in peer.needs_create:
        yield stop(
            f"MissingPrivilege: what the clone owns in {place.name} of the database "
            f"{place.database} cannot be given to {peer.base}.",
            f"GRANT CREATE ON {place.name} TO {identifier(peer.base)}; -- in {place.database}",
        )
    for setting in peer.settings:
        yield stop(
            f"MissingPrivilege: {peer.superuser} may not copy the setting {setting} to the clone.",
            f"GRANT SET ON PARAMETER {identifier(setting)} TO {superuser};",
        )
    if peer.attributes:
        yield stop(
            f"MissingPrivilege: {peer.superuser} may not give the clone the attributes "
            f"{', '.join(peer.attributes)}, which {peer.base} has.",
            f"Take them off {peer.base}, or name a superuser that may: docs/permissions.md.",
        )


def _ownership(peer: Peer) -> Iterator[Finding]:
    if peer.owns_in:
        yield note(
            f"The clone owns objects in {', '.join(peer.owns_in)}. The first rotation gives them "
            f"to {peer.base}; both users go on reading and altering them."
        )
    if peer.clone_acts_as_itself:
        yield note(
            f"The clone runs as itself. Once Rekey has set its password it runs as {peer.base}: "
            'what it creates belongs to the base user, and "$user" in search_path names its schema.'
        )
