"""Make one of two alternating users ready: the clone acts as the base user.

``GRANT base TO clone`` and ``ALTER ROLE clone SET role = base`` let a session of the clone run as
the base user from its first statement. So whatever either of them creates belongs to the base
user, and both have exactly its rights. What does not come with a role (attributes, settings,
limits) is copied. The base user is never changed, except for its password.
"""

from dataclasses import dataclass

from pg8000.native import identifier, literal

from rekey.engines.postgresql import settings
from rekey.engines.postgresql.session import Session
from rekey.engines.postgresql.verifier import alter_password
from rekey.errors import MissingPrivilege, PrivilegesDiffer, UserMissing
from rekey.ports import PeerChange

ATTRIBUTES = ("SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION", "BYPASSRLS")
POSTGRESQL_16 = 160_000


@dataclass(frozen=True)
class Role:
    """A row of pg_roles. ``valid_until`` is in the session's own DateStyle; None is never."""

    oid: int
    name: str
    attributes: frozenset[str]
    inherits: bool
    can_log_in: bool
    connection_limit: int
    valid_until: str | None


def provide(session: Session, change: PeerChange) -> None:
    """Carry out ``change`` inside the caller's transaction."""
    base = _role(session, change.base)
    if base is None:
        raise UserMissing(f"The user {change.base} does not exist. Create it with its rights.")
    _check_superuser(session, base)
    clone = _role(session, change.clone)
    if clone is not None:
        _check_clone(session, base, clone, in_use=change.pending != change.clone)
    elif change.pending != change.clone:
        raise UserMissing(f"The user {change.clone} of AWSCURRENT does not exist.")
    if change.pending == change.clone:
        _converge(session, base, clone, change.clone)
    alter_password(session, change.pending, change.password)


def effective_role(session: Session, name: str) -> str:
    """Return the role that sessions of ``name`` in this database run as."""
    rows = session.run(
        "SELECT substr(option, 6) FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole,"
        " unnest(s.setconfig) AS option WHERE r.rolname = :name AND option LIKE 'role=%'"
        " AND (s.setdatabase = 0 OR s.setdatabase ="
        " (SELECT oid FROM pg_database WHERE datname = current_database()))"
        " ORDER BY s.setdatabase DESC LIMIT 1",
        name=name,
    )
    return rows[0][0] if rows and rows[0][0] != "none" else name


def _role(session: Session, name: str) -> Role | None:
    rows = session.run(
        "SELECT oid::int8, rolinherit, rolcanlogin, rolconnlimit,"
        " nullif(rolvaliduntil, 'infinity')::text,"
        " rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
        " FROM pg_roles WHERE rolname = :name",
        name=name,
    )
    if not rows:
        return None
    # The flags stand in the order of ATTRIBUTES.
    oid, inherits, can_log_in, limit, valid_until, *flags = rows[0]
    held = frozenset(name for name, flag in zip(ATTRIBUTES, flags, strict=True) if flag)
    return Role(oid, name, held, inherits, can_log_in, limit, valid_until)


def _check_superuser(session: Session, base: Role) -> None:
    """Check the rights that the change needs, before anything is touched.

    From PostgreSQL 16 on, CREATEROLE alone changes no role that one has no ADMIN OPTION on.
    """
    may, administers = session.run(
        "SELECT rolsuper OR rolcreaterole, rolsuper OR :version < :sixteen"
        " OR pg_has_role(current_user, :base::oid, 'MEMBER WITH ADMIN OPTION')"
        " FROM pg_roles WHERE rolname = current_user",
        version=session.server_version,
        sixteen=POSTGRESQL_16,
        base=base.oid,
    )[0]
    if not may:
        raise MissingPrivilege(f"The superuser {session.acts_as} needs CREATEROLE.")
    if not administers:
        raise MissingPrivilege(
            f"The superuser {session.acts_as} may not change {base.name}. Run: GRANT {base.name} "
            f"TO {session.acts_as} WITH ADMIN OPTION."
        )


def _check_clone(session: Session, base: Role, clone: Role, *, in_use: bool) -> None:
    """Stop if the clone has rights that the base user lacks and that must not simply vanish.

    A clone that is in use keeps what it has. One that is no member of the base user may be
    somebody else's account. What it owns or was granted directly would become unreadable.
    """
    extra = _own_objects(session, clone)
    member = session.run(
        "SELECT pg_has_role(:clone::oid, :base::oid, 'MEMBER')", clone=clone.oid, base=base.oid
    )[0][0]
    if in_use or not member:
        extra += [f"the attribute {name}" for name in sorted(clone.attributes - base.attributes)]
        extra += [
            f"membership in {name}"
            for name, shared in _other_memberships(session, base, clone)
            if not shared
        ]
    if extra:
        raise PrivilegesDiffer(
            f"{clone.name} has what {base.name} lacks: {', '.join(extra)}. Nothing was changed. "
            f"Give it to {base.name} or take it from {clone.name}, then rotate again."
        )
    if in_use and not member:
        raise PrivilegesDiffer(
            f"{clone.name} is not a member of {base.name}, so they may belong to different people."
            f" Nothing was changed. Run: GRANT {base.name} TO {clone.name}."
        )


def _own_objects(session: Session, clone: Role) -> list[str]:
    """Name the databases where the clone owns something or was granted something directly."""
    rows = session.run(
        "SELECT DISTINCT CASE d.deptype WHEN 'o' THEN 'objects that it owns in '"
        " ELSE 'rights granted to it directly in ' END || coalesce(b.datname, 'the cluster')"
        " FROM pg_shdepend d LEFT JOIN pg_database b ON b.oid = d.dbid"
        " WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = :clone::oid"
        " AND d.deptype IN ('o', 'a') ORDER BY 1",
        clone=clone.oid,
    )
    return [row[0] for row in rows]


def _other_memberships(session: Session, base: Role, clone: Role) -> list[tuple[str, bool]]:
    """Return roles that the clone was granted, and whether the base user has them too."""
    rows = session.run(
        "SELECT DISTINCT r.rolname::text, pg_has_role(:base::oid, r.oid, 'MEMBER')"
        " FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid"
        " WHERE m.member = :clone::oid AND r.oid <> :base::oid ORDER BY 1",
        base=base.oid,
        clone=clone.oid,
    )
    return [(name, shared) for name, shared in rows]


def _converge(session: Session, base: Role, clone: Role | None, name: str) -> None:
    """Make the clone equal to the base user: additions and removals."""
    if clone is None:
        session.run(f"CREATE ROLE {identifier(name)} LOGIN INHERIT")
        clone = _role(session, name)
        if clone is None:
            raise UserMissing(f"The user {name} was dropped while it was made. Rotate again.")
    _revoke_memberships(session, base, clone)
    options = " WITH INHERIT TRUE, SET TRUE" if session.server_version >= POSTGRESQL_16 else ""
    session.run(f"GRANT {identifier(base.name)} TO {identifier(name)}{options}")
    wanted = _options(base, clone)
    if wanted:
        session.run(f"ALTER ROLE {identifier(name)} {' '.join(wanted)}")
    settings.converge(session, base.name, name)


def _revoke_memberships(session: Session, base: Role, clone: Role) -> None:
    """Take away roles that were granted to the clone itself.

    From PostgreSQL 16 on, REVOKE passes over what another role granted, with only a warning.
    """
    for role, _ in _other_memberships(session, base, clone):
        session.run(f"REVOKE {identifier(role)} FROM {identifier(clone.name)}")
    left = [role for role, shared in _other_memberships(session, base, clone) if not shared]
    if left:
        raise PrivilegesDiffer(
            f"{clone.name} was granted {', '.join(left)} by a role that the superuser "
            f"{session.acts_as} cannot act for. Nothing was changed. Revoke it as that role."
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
