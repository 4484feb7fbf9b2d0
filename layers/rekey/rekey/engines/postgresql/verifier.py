"""Change a password without sending it: the server gets a verifier, computed here."""

import base64
import hashlib

import scramp
from pg8000.native import identifier, literal

from rekey.engines.postgresql.session import Session

ITERATIONS = 4096
"""PostgreSQL's own number (scram_iterations)."""


def alter_password(session: Session, username: str, password: str) -> None:
    """Set the password of a role, in the form that the server stores.

    A server that is set to md5 may have clients that know nothing else: its setting is followed.
    """
    method = session.run("SELECT current_setting('password_encryption')")[0][0]
    verifier = md5(username, password) if method in ("md5", "on") else scram_sha_256(password)
    # A utility statement takes no parameters; both names are quoted by the driver.
    session.run(f"ALTER ROLE {identifier(username)} PASSWORD {literal(verifier)}")


def scram_sha_256(password: str) -> str:
    """Return ``SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`` (RFC 5803).

    Source: PostgreSQL documentation, catalogue pg_authid.
    """
    mechanism = scramp.ScramMechanism("SCRAM-SHA-256")
    salt, stored_key, server_key, iterations = mechanism.make_auth_info(
        password, iteration_count=ITERATIONS
    )
    encoded = (base64.b64encode(part).decode() for part in (salt, stored_key, server_key))
    return "SCRAM-SHA-256${}:{}${}:{}".format(iterations, *encoded)


def md5(username: str, password: str) -> str:
    """Return ``md5`` and the digest of password and user name (catalogue pg_authid)."""
    return "md5" + hashlib.md5((password + username).encode(), usedforsecurity=False).hexdigest()
