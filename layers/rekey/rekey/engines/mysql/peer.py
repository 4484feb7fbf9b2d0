"""Make one of two alternating users ready: the clone gets what the base user has.

A user of MySQL or MariaDB cannot act as another one from its first statement, so rights are copied.
Each statement commits by itself. So the password comes last, and everything before it may be cut
off anywhere: the user of AWSCURRENT loses nothing, and the next attempt begins with reading again.
"""

import secrets
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace

from rekey.engines.mysql import accounts, grant_tables, limits, preconditions
from rekey.engines.mysql.accounts import Account
from rekey.engines.mysql.converge import beyond, converge, give
from rekey.engines.mysql.rights import Both
from rekey.engines.mysql.routines import came_with_its_routines
from rekey.engines.mysql.session import Session
from rekey.engines.mysql.verifier import change as change_account
from rekey.engines.mysql.verifier import identified, set_hash
from rekey.errors import AccountLocked, PrivilegesDiffer, RekeyError, UserMissing
from rekey.ports import PeerChange

RANDOM_BYTES = 32


@dataclass(frozen=True)
class Pair:
    """The base user's account for one host, and the clone's, if there is one."""

    base: Account
    clone: Account | None


def provide(session: Session, change: PeerChange) -> None:
    """Carry out ``change``, under the locks of both users.

    Everything is checked before the first statement that changes something.
    """
    in_use = change.pending == change.base
    pairs = _pairs(session, change)
    known = _check_in_use(session, pairs, change) if in_use else {}
    with ExitStack() as undo:
        for pair in pairs:
            clone = pair.clone
            if clone is None and not in_use:
                clone = _create(session, pair.base, change.clone)
                undo.callback(_drop, session, clone)
            if clone:
                both = known.get(clone.host) or grant_tables.read(session, pair.base, clone)
                both = _share_routines(session, pair.base, clone, both)
                converge(session, pair.base, clone, both, in_use=in_use)
        undo.pop_all()
    _set_passwords(session, change)


def _pairs(session: Session, change: PeerChange) -> list[Pair]:
    bases = preconditions.check(
        session, change.base, all_hosts=change.all_hosts, needed_by="Alternating users need"
    )
    for base in bases:
        grant_tables.check_readable(session, base)
    clones = {account.host: account for account in accounts.find(session, change.clone)}
    preconditions.check_plugins(session, clones.values())
    strange = [clones[host].sql for host in sorted(clones.keys() - {base.host for base in bases})]
    if strange:
        raise PrivilegesDiffer(
            f"There are accounts of {change.clone} for hosts that {change.base} has none for: "
            f"{', '.join(strange)}. Nothing was changed. Rename them (RENAME USER) to the hosts of "
            f"{', '.join(base.sql for base in bases)}, or drop them."
        )
    return [Pair(base, clones.get(base.host)) for base in bases]


def _check_in_use(session: Session, pairs: list[Pair], change: PeerChange) -> dict[str, Both]:
    """Check that the applications, which are the clone now, lose nothing by being the base user.

    Return the rights of both, by host.
    """
    if not any(pair.clone for pair in pairs):
        raise UserMissing(f"The user {change.clone} of AWSCURRENT does not exist.")
    if all(pair.base.locked for pair in pairs):
        raise AccountLocked(
            f"{change.base} is locked, so that no password of it logs in. Nothing was changed. "
            f"Run: ALTER USER {pairs[0].base.sql} ACCOUNT UNLOCK."
        )
    return {
        pair.base.host: _check_nothing_beyond(session, pair.base, pair.clone)
        for pair in pairs
        if pair.clone
    }


def _check_nothing_beyond(session: Session, base: Account, clone: Account) -> Both:
    both = grant_tables.read(session, base, clone)
    shared = came_with_its_routines(session, both.clone.beyond(both.base), clone)
    extra = beyond(replace(both.clone, granted=both.clone.granted - shared), both.base)
    if extra:
        raise PrivilegesDiffer(
            f"{clone.sql} is in use and has what {base.sql} lacks: {', '.join(extra)}. Nothing was "
            f"changed. Give it to {base.sql} or take it from {clone.sql}, then rotate again."
        )
    return both


def _share_routines(session: Session, base: Account, clone: Account, both: Both) -> Both:
    """Give the base user the rights on routines that the clone has defined; what both have then."""
    lacking = came_with_its_routines(session, both.clone.beyond(both.base), clone)
    if not lacking:
        return both
    give(session, lacking, base)
    return grant_tables.read(session, base, clone)


def _create(session: Session, base: Account, name: str) -> Account:
    """Make an account without rights that nobody can log in with: locked, its password unknown."""
    clause = identified(session, base.plugin, secrets.token_urlsafe(RANDOM_BYTES))
    clone = Account(name, base.host, base.methods)
    change_account(session, f"CREATE USER {clone.sql} {clause} ACCOUNT LOCK")
    return clone


def _drop(session: Session, clone: Account) -> None:
    """Take back an account that was just made, and that nobody could log in with."""
    with suppress(RekeyError):  # The connection is gone. The next attempt goes on with the account.
        session.run(f"DROP USER {clone.sql}")


def _set_passwords(session: Session, change: PeerChange) -> None:
    """Set the password, and with the clone's, in the same statement, what else an account has."""
    bases = {account.host: account for account in accounts.find(session, change.base)}
    for account in accounts.find(session, change.pending):
        clone_of = bases.get(account.host) if change.pending == change.clone else None
        clauses = limits.clauses(session, clone_of) if clone_of else ""
        set_hash(session, account, change.password, clauses)
