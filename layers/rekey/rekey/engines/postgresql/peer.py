"""Make one of two alternating users ready: the clone acts as the base user.

``GRANT base TO clone`` and ``ALTER ROLE clone SET role = base`` let a session of the clone run as
the base user from its first statement. So whatever either of them creates belongs to the base
user, and both have exactly its rights. What does not come with a role (attributes, settings,
limits) is copied. The base user is never changed, except for its password.
"""

from collections.abc import Callable

from pg8000.native import identifier, literal

from rekey.engines.postgresql import ownership, settings
from rekey.engines.postgresql.clone import check_clone, other_memberships
from rekey.engines.postgresql.roles import POSTGRESQL_16, Role, read_role, without_admin_option
from rekey.engines.postgresql.session import Session
from rekey.engines.postgresql.verifier import alter_password
from rekey.errors import AccountExpired, MissingPrivilege, PrivilegesDiffer, UserMissing
from rekey.ports import PeerChange


def provide(session: Session, change: PeerChange, open_database: Callable[[str], Session]) -> None:
    """Carry out ``change`` inside the caller's transaction.

    Everything is checked before the first statement that changes something.
    """
    base = read_role(session, change.base)
    if base is None:
        raise UserMissing(f"The user {change.base} does not exist. Create it with its rights.")
    _check_expiry(session, base)
    clone = read_role(session, change.clone)
    _check_superuser(session, base, *([clone] if clone and change.pending == change.clone else []))
    if clone is not None:
        check_clone(session, base, clone, in_use=change.pending != change.clone)
        ownership.hand_over(session, base, clone, open_database)
    elif change.pending != change.clone:
        raise UserMissing(f"The user {change.clone} of AWSCURRENT does not exist.")
    if change.pending == change.clone:
        _converge(session, base, clone, change.clone)
    alter_password(session, change.pending, change.password)


def _check_expiry(session: Session, base: Role) -> None:
    """A new password does not lift an expired VALID UNTIL: it could not log in."""
    expired = session.run(
        "SELECT rolvaliduntil < now() FROM pg_roles WHERE oid = :base::oid", base=base.oid
    )[0][0]
    if expired:
        raise AccountExpired(
            f"The VALID UNTIL of {base.name} has passed, so that no password of it logs in. Run: "
            f"ALTER ROLE {identifier(base.name)} VALID UNTIL 'infinity'."
        )


def _check_superuser(session: Session, *changed: Role) -> None:
    """Check the rights that changing these roles needs."""
    may_create = session.run(
        "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    )[0][0]
    if not may_create:
        raise MissingPrivilege(f"The superuser {session.login_name} needs CREATEROLE.")
    for role in without_admin_option(session, *changed):
        raise MissingPrivilege(
            f"The superuser {session.login_name} may not change {role.name}. Run: GRANT "
            f"{identifier(role.name)} TO {identifier(session.login_name)} WITH ADMIN OPTION."
        )


def _converge(session: Session, base: Role, clone: Role | None, name: str) -> None:
    """Make the clone equal to the base user: additions and removals."""
    if clone is None:
        session.run(f"CREATE ROLE {identifier(name)} LOGIN INHERIT")
        clone = read_role(session, name)
        if clone is None:
            raise UserMissing(f"The user {name} was dropped while it was made. Rotate again.")
    _revoke_memberships(session, base, clone)
    options = " WITH INHERIT TRUE, SET TRUE" if session.server_version >= POSTGRESQL_16 else ""
    session.run(f"GRANT {identifier(base.name)} TO {identifier(name)}{options}")
    session.run(f"REVOKE ADMIN OPTION FOR {identifier(base.name)} FROM {identifier(name)}")
    wanted = _options(base, clone)
    if wanted:
        session.run(f"ALTER ROLE {identifier(name)} {' '.join(wanted)}")
    settings.converge(session, base.name, name)


def _revoke_memberships(session: Session, base: Role, clone: Role) -> None:
    """Take away roles that were granted to the clone itself.

    From PostgreSQL 16 on, REVOKE passes over what another role granted, with only a warning.
    """
    for role, _ in other_memberships(session, base, clone):
        session.run(f"REVOKE {identifier(role)} FROM {identifier(clone.name)}")
    left = [role for role, shared in other_memberships(session, base, clone) if not shared]
    if left:
        raise PrivilegesDiffer(
            f"{clone.name} was granted {', '.join(left)} by a role that the superuser "
            f"{session.login_name} cannot act for. Revoke it as that role."
        )


def _options(base: Role, clone: Role) -> list[str]:
    """Return the options of ALTER ROLE that differ, and only those.

    Naming SUPERUSER, REPLICATION or BYPASSRLS at all needs more than CREATEROLE.
    """
    options = sorted(base.attributes - clone.attributes)
    options += [f"NO{attribute}" for attribute in sorted(clone.attributes - base.attributes)]
    if not clone.inherits:
        options.append("INHERIT")
    if not clone.can_log_in:
        options.append("LOGIN")
    if clone.connection_limit != base.connection_limit:
        options.append(f"CONNECTION LIMIT {base.connection_limit}")
    if clone.valid_until != base.valid_until:
        options.append(f"VALID UNTIL {literal(base.valid_until or 'infinity')}")
    return options
