"""From the numbers of the servers' errors to ours.

Numbers: MySQL "Server Error Message Reference" and MariaDB "Error Codes". Texts are in the
server's language, so nothing here depends on one; below 4000 both servers mean the same.
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
    PasswordRefused,
    ReadOnlyEndpoint,
    RekeyError,
    TlsFailed,
    TooManyConnections,
    UserMissing,
)

REJECTED = "The server refuses the user name or the password."
EXPIRED = "The password has expired: ALTER USER ... PASSWORD EXPIRE DEFAULT, or rotate at once."
LOCKED = "The account is locked: ALTER USER ... ACCOUNT UNLOCK."
TOO_MANY = "The server or the user has no connection left: raise the limit."
LACKS = "The user lacks a privilege (docs/permissions.md)."
READ_ONLY = "The endpoint is read-only: store the writer's host."
LOCK = "Another session holds a lock that the change needs."
POLICY = "The server's password policy refuses the new password: fit PasswordLength to it."
PLUGIN = "The account's authentication plugin is not usable by this login."
TIME = "The statement did not finish in time."
DOWN = "The server is shutting down."

Class = tuple[type[RekeyError], str]

BOTH: Mapping[int, Class] = {
    1040: (TooManyConnections, TOO_MANY),
    1044: (MissingPrivilege, LACKS),
    1045: (CredentialsRejected, REJECTED),
    1049: (DatabaseMissing, "The database does not exist: correct the key dbname."),
    1053: (DatabaseUnreachable, DOWN),
    1129: (LoginNotAllowed, "The server blocks this client after errors: FLUSH HOSTS."),
    1130: (LoginNotAllowed, "No account admits a client of this address: create one."),
    1133: (UserMissing, "The account does not exist."),
    1142: (MissingPrivilege, LACKS),
    1143: (MissingPrivilege, LACKS),
    1203: (TooManyConnections, TOO_MANY),
    1205: (LockTimeout, LOCK),
    1213: (ConcurrentChange, "Another session changed the same rows at the same time."),
    1226: (TooManyConnections, TOO_MANY),
    1227: (MissingPrivilege, LACKS),
    1251: (LoginNotAllowed, PLUGIN),
    1370: (MissingPrivilege, LACKS),
    1396: (UserMissing, "The account does not exist, or the server refuses to change it."),
    1410: (MissingPrivilege, LACKS),
    1449: (UserMissing, "The account of a definer does not exist."),
    1524: (LoginNotAllowed, PLUGIN),
    1698: (CredentialsRejected, REJECTED),
    1792: (ReadOnlyEndpoint, READ_ONLY),
    1819: (PasswordRefused, POLICY),
    1820: (CredentialsRejected, EXPIRED),
    1836: (ReadOnlyEndpoint, READ_ONLY),
    1862: (CredentialsRejected, EXPIRED),
}
MYSQL: Mapping[int, Class] = {
    1290: (ReadOnlyEndpoint, READ_ONLY),
    2059: (LoginNotAllowed, PLUGIN),
    3024: (DatabaseUnreachable, TIME),
    3032: (TooManyConnections, "The server is in offline mode."),
    3118: (AccountLocked, LOCKED),
    3159: (TlsFailed, 'The server takes no connection without TLS: take "ssl": false away.'),
    3572: (LockTimeout, LOCK),
    3638: (PasswordRefused, "The password was in use before: the history of passwords forbids it."),
    3892: (PasswordRefused, "The user has to give its old password: PASSWORD REQUIRE CURRENT OFF."),
    3894: (PasswordRefused, "A user without a password cannot keep it: set a password first."),
    3955: (AccountLocked, "Too many wrong passwords: ALTER USER ... ACCOUNT UNLOCK, or wait."),
}
MARIADB: Mapping[int, Class] = {
    1290: (ReadOnlyEndpoint, READ_ONLY),
    1969: (DatabaseUnreachable, TIME),
    4150: (AccountLocked, "Too many wrong passwords (max_password_errors): FLUSH PRIVILEGES."),
    4151: (AccountLocked, LOCKED),
}


def from_number(number: int, text: str, server: str, *, mariadb: bool) -> RekeyError:
    """Return the error for a number; ``text`` is what the server says, in its language."""
    classes = {**BOTH, **(MARIADB if mariadb else MYSQL)}
    kind, advice = classes.get(number, (EngineFailure, "The server refused the statement."))
    return kind(f"{advice} {server} says: {text} (error {number}).")
