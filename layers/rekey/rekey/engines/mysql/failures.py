"""From what the driver raises to our errors."""

import ssl

import pymysql

from rekey.engines.mysql.errorcode import from_number
from rekey.errors import (
    DatabaseUnreachable,
    EngineFailure,
    InvalidSecretValue,
    LoginNotAllowed,
    PlaintextRefused,
    RekeyError,
    TlsFailed,
)

CLIENT_ERRORS = range(2_000, 2_100)
NO_TLS = 2_026
UNKNOWN_PLUGIN = 2_059


def translate(error: Exception, server: str, *, expired: bool, mariadb: bool) -> RekeyError:
    """Return what to raise for what the driver raised.

    Returned, not raised here: so the original, which may hold a secret, is no context of it.
    """
    if isinstance(error, RekeyError):
        return error
    if expired:
        return DatabaseUnreachable(f"{server} did not answer in time.")
    error = getattr(error, "original_exception", error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsFailed(
            f"The certificate of {server} cannot be verified ({error.verify_message}). Use the "
            "host name in the certificate, or add its CA (parameter CaBundleLayerArn)."
        )
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None) or "ended"
        return TlsFailed(f"{server} did not complete the TLS handshake ({reason}).")
    if isinstance(error, OSError):
        return DatabaseUnreachable(f"{server} ended the connection.")
    return _from_driver(error, server, mariadb=mariadb)


def _from_driver(error: Exception, server: str, *, mariadb: bool) -> RekeyError:
    number = error.args[0] if isinstance(error, pymysql.MySQLError) and error.args else None
    if number == NO_TLS:
        return TlsFailed(
            f"{server} does not offer TLS. Turn it on; Rekey goes without only if the secret says "
            '"ssl": false.'
        )
    if number == 0 or (number in CLIENT_ERRORS and number != UNKNOWN_PLUGIN):
        return DatabaseUnreachable(f"{server} ended the connection.")
    if isinstance(number, int):
        return from_number(number, str(error.args[-1]), server, mariadb=mariadb)
    if isinstance(error, UnicodeError):
        return InvalidSecretValue("The user name or the password cannot be sent as UTF-8.")
    return _unsupported(error, server)


def _unsupported(error: Exception, server: str) -> RekeyError:
    """Sort what the driver says of plugins, for which it has no numbers."""
    text = str(error)
    if "cryptography" in text:
        return PlaintextRefused(
            f"{server} needs the password itself for this login, and the connection has no TLS: "
            'take "ssl": false out of the secret.'
        )
    if "pynacl" in text.lower():
        return LoginNotAllowed(
            f"The account on {server} logs in with ed25519, which Rekey does not. Give it another "
            "method: ALTER USER ... IDENTIFIED VIA mysql_native_password USING PASSWORD('...')."
        )
    if "multiple auth switch" in text:
        return LoginNotAllowed(
            f"The account on {server} has more methods than the driver tries: leave it those of "
            "mysql_native_password, two at most."
        )
    return EngineFailure(f"{server}: {type(error).__name__}: {text}")
