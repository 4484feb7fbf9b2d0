"""Change the password of an account without sending it: the server gets a hash, computed here."""

from rekey.engines.mysql import hashes, quoting
from rekey.engines.mysql.accounts import Account
from rekey.engines.mysql.session import Session
from rekey.errors import PolicyForbidsHash, ReadOnlyEndpoint, UserMissing

MANY_HASHES = (8, 0, 24)
"""From here on, the number of rounds is a setting of the server."""


def identified(session: Session, plugin: str, password: str) -> str:
    """Return what stands behind CREATE USER or ALTER USER and the account."""
    if session.mariadb:
        return f"IDENTIFIED VIA {hashes.NATIVE} USING {quoting.literal(hashes.native(password))}"
    usable = usable_plugin(session, plugin)
    return f"IDENTIFIED WITH {usable} AS {literal(hash_for(session, usable, password))}"


def literal(stored: str) -> str:
    """Return a hash as hexadecimal, in which no byte of it needs quoting."""
    return "0x" + stored.encode("latin-1").hex()


def hash_for(session: Session, plugin: str, password: str) -> str:
    if plugin == hashes.NATIVE:
        return hashes.native(password)
    return hashes.caching_sha2(password, rounds=rounds(session))


def usable_plugin(session: Session, plugin: str) -> str:
    """Return the account's plugin if we can make its hash and the server still has it.

    Else caching_sha2_password, which every server of ours has: mysql_native_password is gone in
    MySQL 9, and sha256_password is its slower predecessor, which any client of it understands.
    """
    if plugin != hashes.NATIVE:
        return hashes.CACHING_SHA2
    active = session.run(
        "SELECT 1 FROM information_schema.plugins"
        " WHERE plugin_name = %s AND plugin_status = 'ACTIVE'",
        plugin,
    )
    return plugin if active else hashes.CACHING_SHA2


def rounds(session: Session) -> int:
    """Return the server's own number of rounds: more where its owner wants that."""
    if session.version < MANY_HASHES:
        return hashes.ROUNDS
    return int(session.run("SELECT @@global.caching_sha2_password_digest_rounds")[0][0])


def change(session: Session, statement: str) -> None:
    """Run a change of passwords, and say what MariaDB leaves out when it refuses a hash.

    It gives the numbers of a missing account (ALTER USER) and of a read-only server (SET PASSWORD).
    """
    try:
        session.run(statement)
    except (ReadOnlyEndpoint, UserMissing):
        refusing = validations(session) if session.mariadb else []
        if not refusing:
            raise
        failure = policy_forbids(session, refusing)
    else:
        return
    raise failure


def validations(session: Session) -> list[str]:
    """Return the plugins of MariaDB that check passwords, if they are set to refuse hashes."""
    rows = session.run(
        "SELECT plugin_name FROM information_schema.plugins WHERE plugin_status = 'ACTIVE'"
        " AND plugin_type = 'PASSWORD VALIDATION' AND @@global.strict_password_validation"
    )
    return [row[0] for row in rows]


def policy_forbids(session: Session, refusing: list[str]) -> PolicyForbidsHash:
    return PolicyForbidsHash(
        f"{session.server} checks passwords ({', '.join(refusing)}) and so takes no hash, and "
        "Rekey sends none in clear: SET GLOBAL strict_password_validation = OFF, which still "
        "checks what people set in clear."
    )


def set_hash(session: Session, account: Account, password: str, clauses: str = "") -> None:
    """Make ``password`` the only one of the account, whatever it had.

    ``clauses`` are what else ALTER USER shall set in the same statement.
    """
    clause = identified(session, account.plugin, password)
    discard = f", {account.sql} DISCARD OLD PASSWORD" if account.second is not None else ""
    change(session, f"ALTER USER {account.sql} {clause}{discard} {clauses}".rstrip())
