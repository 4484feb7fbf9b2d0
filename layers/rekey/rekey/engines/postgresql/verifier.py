"""Change a password without sending it: the server gets a verifier, computed here."""

import base64
import hashlib

import scramp
from pg8000.native import identifier, literal

from rekey.engines.postgresql.session import Session
from rekey.errors import PlaintextRefused

ITERATIONS = 4096
"""PostgreSQL's own number (scram_iterations)."""


def alter_password(session: Session, username: str, password: str) -> None:
    """Set the password of a role, in the form that the server stores.

    Raises PlaintextRefused if that is MD5 and would stand in the server's log.
    """
    by_md5 = _is_set_to_md5(session, username)
    verifier = md5(username, password) if by_md5 else scram_sha_256(password)
    # A utility statement takes no parameters; both names are quoted by the driver.
    session.run(f"ALTER ROLE {identifier(username)} PASSWORD {literal(verifier)}")


def _is_set_to_md5(session: Session, username: str) -> bool:
    """Tell whether the role's clients may know nothing but MD5: the server's setting is followed.

    Not if the role itself has just logged in by SCRAM: pg_hba.conf may ask for nothing else, and no
    MD5 verifier would log in there. An MD5 verifier that stands in a log is as good as the password
    (PostgreSQL documentation, "Password Authentication" and "Message Flow").
    """
    if session.by_scram and session.login_name == username:
        return False
    method, logged = session.run(
        "SELECT current_setting('password_encryption'), current_setting('log_statement')"
    )[0]
    if method not in ("md5", "on"):
        return False
    if logged != "none":
        raise PlaintextRefused(
            "The server keeps passwords as MD5 (password_encryption) and writes the statement that "
            f"sets one in its log (log_statement = {logged}): whoever reads it there could log in. "
            "Set password_encryption to scram-sha-256, or log_statement to none."
        )
    return True


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
