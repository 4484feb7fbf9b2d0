"""What an account has besides rights: TLS requirement, resource limits, password rules, lock.

Sources: MySQL and MariaDB documentation, "ALTER USER"; the columns of mysql.user.
"""

import json

from rekey.engines.mysql import quoting
from rekey.engines.mysql.accounts import Account
from rekey.engines.mysql.session import Session
from rekey.engines.mysql.tables import GrantTables, Row

FAILED_LOGINS = (8, 0, 19)
"""The first MySQL that counts them."""
NO_LIMIT = {"failed_login_attempts": 0, "password_lock_time_days": 0}


def clauses(session: Session, account: Account) -> str:
    """Return what has to stand at the end of an ALTER USER to make another account the same.

    Every clause is stated, so that it does not matter what the other account had.
    """
    tables = GrantTables(session, (account,))
    (user,) = tables.of(account, "mysql.user")
    lock = f"ACCOUNT {'LOCK' if account.locked else 'UNLOCK'}"
    rules = _mariadb_rules(tables, account) if session.mariadb else _mysql_rules(session, user)
    return " ".join([_tls(user), _resources(user), *rules, lock])


def _tls(user: Row) -> str:
    match user["ssl_type"]:
        case "ANY":
            return "REQUIRE SSL"
        case "X509":
            return "REQUIRE X509"
        case "SPECIFIED":
            named = {
                word: _text(user[column])
                for word, column in (
                    ("CIPHER", "ssl_cipher"),
                    ("ISSUER", "x509_issuer"),
                    ("SUBJECT", "x509_subject"),
                )
            }
            wanted = (f"{word} {quoting.literal(value)}" for word, value in named.items() if value)
            return f"REQUIRE {' AND '.join(wanted)}"
        case _:
            return "REQUIRE NONE"


def _text(value: str | bytes | None) -> str:
    """MySQL has these columns in no character set."""
    return value.decode() if isinstance(value, bytes) else value or ""


def _resources(user: Row) -> str:
    wanted = [
        f"MAX_QUERIES_PER_HOUR {user['max_questions']}",
        f"MAX_UPDATES_PER_HOUR {user['max_updates']}",
        f"MAX_CONNECTIONS_PER_HOUR {user['max_connections']}",
        f"MAX_USER_CONNECTIONS {user['max_user_connections']}",
    ]
    if "max_statement_time" in user:
        wanted.append(f"MAX_STATEMENT_TIME {user['max_statement_time']}")
    return f"WITH {' '.join(wanted)}"


def _expiry(days: int | None) -> str:
    if days is None:
        return "PASSWORD EXPIRE DEFAULT"
    return f"PASSWORD EXPIRE INTERVAL {days} DAY" if days else "PASSWORD EXPIRE NEVER"


def _mariadb_rules(tables: GrantTables, account: Account) -> list[str]:
    """Read what the view mysql.user leaves out. A time below zero stands for the default."""
    (row,) = tables.of(account, "mysql.global_priv")
    days = json.loads(row["Priv"]).get("password_lifetime", -1)
    return [_expiry(None if days < 0 else days)]


def _mysql_rules(session: Session, user: Row) -> list[str]:
    history, reuse = user["Password_reuse_history"], user["Password_reuse_time"]
    current = {"Y": "", "N": " OPTIONAL"}.get(user["Password_require_current"], " DEFAULT")
    rules = [
        _expiry(user["password_lifetime"]),
        f"PASSWORD HISTORY {'DEFAULT' if history is None else history}",
        f"PASSWORD REUSE INTERVAL {'DEFAULT' if reuse is None else f'{reuse} DAY'}",
        f"PASSWORD REQUIRE CURRENT{current}",
    ]
    if session.version >= FAILED_LOGINS:
        attributes = json.loads(user["User_attributes"] or "{}")
        locking = attributes.get("Password_locking", NO_LIMIT)
        days = locking["password_lock_time_days"]
        rules += [
            f"FAILED_LOGIN_ATTEMPTS {locking['failed_login_attempts']}",
            f"PASSWORD_LOCK_TIME {'UNBOUNDED' if days < 0 else days}",
        ]
    return rules
