"""From the fields of an ErrorResponse to our errors.

Codes: PostgreSQL documentation, appendix A; fields: chapter "Error and Notice Message Fields".
Texts are in the server's language, so nothing here depends on one.
"""

from collections.abc import Mapping

from rekey.errors import (
    AccountLocked,
    ConcurrentChange,
    CredentialsRejected,
    DatabaseMissing,
    DatabaseUnreachable,
    EngineFailure,
    LockTimeout,
    LoginNotAllowed,
    MissingPrivilege,
    ReadOnlyEndpoint,
    RekeyError,
    TooManyConnections,
)

CLASSES: Mapping[str, tuple[type[RekeyError], str]] = {
    "28P01": (CredentialsRejected, "The server refuses the user name or password, or it expired."),
    "28000": (LoginNotAllowed, "The server's pg_hba.conf does not admit this login: allow it."),
    "3D000": (DatabaseMissing, "The database does not exist: correct the key dbname."),
    "42501": (MissingPrivilege, "The user lacks a privilege (docs/permissions.md)."),
    "25006": (ReadOnlyEndpoint, "The endpoint is read-only: store the writer's host."),
    "53300": (TooManyConnections, "The server has no connection left: raise its limit."),
    "55P03": (LockTimeout, "Another session holds a lock that the change needs."),
    "57014": (DatabaseUnreachable, "The statement did not finish in time."),
    "57P01": (DatabaseUnreachable, "The server is shutting down."),
    "57P02": (DatabaseUnreachable, "The server crashed and restarts."),
    "57P03": (DatabaseUnreachable, "The server is starting up."),
}

LOGIN_ROUTINES = frozenset({"InitializeSessionUserId"})
"""Where the server finds that an existing role may not log in; sorts 28000 without its text."""


CONCURRENTLY = "tuple concurrently"
"""An internal error (XX000), whose text PostgreSQL does not translate."""


def from_fields(fields: Mapping[str, str], server: str) -> RekeyError:
    """Return the error for the fields C (SQLSTATE), M (message) and R (routine)."""
    code = fields.get("C", "")
    kind, advice = CLASSES.get(code, (EngineFailure, "The server refused the statement."))
    if code == "28000" and fields.get("R") in LOGIN_ROUTINES:
        kind, advice = AccountLocked, "The account may not log in: ALTER ROLE ... LOGIN."
    if code == "XX000" and CONCURRENTLY in fields.get("M", ""):
        kind, advice = ConcurrentChange, "Somebody else changed the user at the same time."
    return kind(f"{advice} {server} says: {fields.get('M', '')} (SQLSTATE {code}).")
