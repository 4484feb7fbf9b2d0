"""What the login may do, as the server itself says it; roles that are active count."""

import re

from rekey.engines.mysql import quoting
from rekey.engines.mysql.session import Session
from rekey.errors import MissingPrivilege

EVERYWHERE = re.compile(r"GRANT (.+?) ON \*\.\* TO ")
"""Of a row of SHOW GRANTS. No name stands before these words, so none can imitate them."""
ALL = "ALL PRIVILEGES"
CREATE_USER = "CREATE USER"


def everywhere(session: Session) -> frozenset[str]:
    """Return the privileges on ``*.*``."""
    found = (EVERYWHERE.match(str(row[0])) for row in session.run("SHOW GRANTS"))
    return frozenset(name for match in found if match for name in match[1].split(", "))


def may_change_users(session: Session) -> bool:
    return bool(everywhere(session) & {CREATE_USER, ALL})


def check_may_change_users(session: Session) -> None:
    """Raise MissingPrivilege, which says what to grant."""
    if not may_change_users(session):
        login = quoting.account(session.login_name, session.login_host)
        raise MissingPrivilege(
            f"The login {session.login_name} may not change the passwords of others on "
            f"{session.server}: GRANT CREATE USER ON *.* TO {login}."
        )
