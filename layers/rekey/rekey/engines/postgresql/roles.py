"""What PostgreSQL's catalogue says about a role."""

from dataclasses import dataclass

from rekey.engines.postgresql.session import Session

ATTRIBUTES = ("SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION", "BYPASSRLS")
POSTGRESQL_16 = 160_000
"""From here on, CREATEROLE alone changes no role that one has no ADMIN OPTION on."""


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


def read_role(session: Session, name: str) -> Role | None:
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


def without_admin_option(session: Session, *roles: Role) -> list[Role]:
    """Return those of ``roles`` that the connected user may neither grant nor change.

    Before PostgreSQL 16, CREATEROLE was enough.
    """
    return [role for role in roles if not _administers(session, role)]


def _administers(session: Session, role: Role) -> bool:
    rows = session.run(
        "SELECT rolsuper OR :version < :sixteen AND rolcreaterole"
        " OR pg_has_role(current_user, :role::oid, 'MEMBER WITH ADMIN OPTION')"
        " FROM pg_roles WHERE rolname = current_user",
        version=session.server_version,
        sixteen=POSTGRESQL_16,
        role=role.oid,
    )
    return bool(rows[0][0])
