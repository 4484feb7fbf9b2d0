"""What a clone has beyond its base user, and whether that stops the rotation."""

from rekey.engines.postgresql.roles import Role, effective_role
from rekey.engines.postgresql.session import Session
from rekey.errors import PrivilegesDiffer


def check_clone(session: Session, base: Role, clone: Role, *, in_use: bool) -> None:
    """Stop if the clone has rights that the base user lacks and that must not simply vanish.

    A clone that is in use keeps what it has. One that is no member of the base user may be
    somebody else's account, and is left alone unless it has nothing at all. Rights that were
    granted to the clone directly cannot be told from somebody's intention: a person decides.
    """
    member, inherits = session.run(
        "SELECT pg_has_role(:clone::oid, :base::oid, 'MEMBER'),"
        " pg_has_role(:clone::oid, :base::oid, 'USAGE')",
        clone=clone.oid,
        base=base.oid,
    )[0]
    extra = direct_rights(session, clone)
    if not member:
        extra += owned_objects(session, clone)
    if in_use or not member:
        extra += [f"the attribute {name}" for name in sorted(clone.attributes - base.attributes)]
        extra += [
            f"membership in {name}"
            for name, shared in other_memberships(session, base, clone)
            if not shared
        ]
    if extra:
        raise PrivilegesDiffer(
            f"{clone.name} has what {base.name} lacks: {', '.join(extra)}. Nothing was changed. "
            f"Give it to {base.name} or take it from {clone.name}, then rotate again."
        )
    if in_use and not inherits and effective_role(session, clone.name) != base.name:
        raise PrivilegesDiffer(
            f"{clone.name} does not have the rights of {base.name}, so they may belong to "
            f"different people. Nothing was changed. Run: GRANT {base.name} TO {clone.name}."
        )


def direct_rights(session: Session, clone: Role) -> list[str]:
    """Name where rights were granted to the clone itself, or default privileges set for it."""
    rows = session.run(
        "SELECT DISTINCT CASE d.deptype WHEN 'a' THEN 'rights granted to it directly in '"
        " ELSE 'default privileges in ' END || coalesce(b.datname, 'the cluster')"
        " FROM pg_shdepend d LEFT JOIN pg_database b ON b.oid = d.dbid"
        " WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = :clone::oid"
        " AND (d.deptype = 'a' OR d.classid = 'pg_default_acl'::regclass) ORDER BY 1",
        clone=clone.oid,
    )
    return [row[0] for row in rows]


def owned_objects(session: Session, clone: Role) -> list[str]:
    """Name the databases where the clone owns something."""
    return [f"objects that it owns in {name}" for name in owning_databases(session, clone)]


def owning_databases(session: Session, clone: Role) -> list[str]:
    """Return the databases where the clone owns something.

    What is shared by all, such as a database itself, counts for the connected one. Default
    privileges are recorded like objects, but cannot be handed over.
    """
    rows = session.run(
        "SELECT DISTINCT coalesce(b.datname, current_database())::text"
        " FROM pg_shdepend d LEFT JOIN pg_database b ON b.oid = d.dbid"
        " WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = :clone::oid"
        " AND d.deptype = 'o' AND d.classid <> 'pg_default_acl'::regclass ORDER BY 1",
        clone=clone.oid,
    )
    return [row[0] for row in rows]


def other_memberships(session: Session, base: Role, clone: Role) -> list[tuple[str, bool]]:
    """Return roles that the clone was granted, and whether the base user has them too."""
    rows = session.run(
        "SELECT DISTINCT r.rolname::text, pg_has_role(:base::oid, r.oid, 'MEMBER')"
        " FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid"
        " WHERE m.member = :clone::oid AND r.oid <> :base::oid ORDER BY 1",
        base=base.oid,
        clone=clone.oid,
    )
    return [(name, shared) for name, shared in rows]
