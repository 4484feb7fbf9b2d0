"""Rights that came with a routine.

Whoever defines a routine is granted EXECUTE and ALTER ROUTINE on it by the server (setting
automatic_sp_privileges), and nobody else is. One that the clone defined would be lost to the base
user, and to the clone itself once it is made equal to the base user.
"""

from collections.abc import Iterable

from rekey.engines.mysql.accounts import Account
from rekey.engines.mysql.grant_tables import routine
from rekey.engines.mysql.rights import Right
from rekey.engines.mysql.session import Session

AUTOMATIC = frozenset({"EXECUTE", "ALTER ROUTINE"})


def came_with_its_routines(
    session: Session, rights: Iterable[Right], account: Account
) -> frozenset[Right]:
    """Return those of ``rights`` that the server gave the account, for it defined the routine."""
    candidates = frozenset(right for right in rights if right.what in AUTOMATIC)
    if not candidates:
        return candidates
    rows = session.run(
        "SELECT routine_type, routine_schema, routine_name FROM information_schema.routines"
        " WHERE BINARY definer = BINARY %s",
        f"{account.user}@{account.host}",
    )
    defined = {routine(*row) for row in rows}
    return frozenset(right for right in candidates if right.on in defined)
