"""What a clone has beyond its base user, and whether that stops the rotation."""

from pg8000.native import identifier

from rekey.engines.postgresql.roles import Role, effective_role
from rekey.engines.postgresql.session import Session
from rekey.errors import PrivilegesDiffer


def check_clone(session: Session, base: Role, clone: Role, *, in_use: bool) -> None:
    """Stop if the clone is not surely ours, or has rights that must not simply vanish.

    An account of that name which is no member of the base user may belong to somebody else, who
    may know its password or be a member of it: it is never taken over. Rights that were granted
    to the clone directly cannot be told from somebody's intention: a person decides. A clone
    that is in use also keeps attributes and memberships that the base user lacks.
    """
    member, inherits, administers = session.run(
        "SELECT pg_has_role(:clone::oid, :base::oid, 'MEMBER'),"
        " pg_has_role(:clone::oid, :base::oid, 'USAGE'),"
        " pg_has_role(:clone::oid, :base::oid, 'MEMBER WITH ADMIN OPTION')",
        clone=clone.oid,
        base=base.oid,
    )[0]
    acts_as_base = effective_role(session, clone.name) == base.name
    if not member or (in_use and not (inherits or acts_as_base)):
        raise PrivilegesDiffer(
            f"{clone.name} does not have the rights of {base.name}, so they may belong to "
            f"different people. Nothing was changed. If they belong together, run: GRANT "
            f"{identifier(base.name)} TO {identifier(clone.name)}."
        )
    extra = direct_rights(session, clone)
    if in_use:
        extra += ["ADMIN OPTION on it"] if administers else []
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


def direct_rights(session: Session, clone: Role) -> list[str]:
    """Name where the clone itself has rights, policies, default privileges or user mappings."""
    rows = session.run(
        "SELECT DISTINCT CASE WHEN d.deptype = 'a' THEN 'rights granted to it directly in '"
        " WHEN d.deptype = 'r' THEN 'policies in '"
        " WHEN d.classid = 'pg_default_acl'::regclass THEN 'default privileges in '"
        " ELSE 'user mappings in ' END || coalesce(b.datname, 'the cluster')"
        " FROM pg_shdepend d LEFT JOIN pg_database b ON b.oid = d.dbid"
        " WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = :clone::oid"
        " AND (d.deptype IN ('a', 'r')"
        " OR d.classid IN ('pg_default_acl'::regclass, 'pg_user_mapping'::regclass)) ORDER BY 1",
        clone=clone.oid,
    )
    return [row[0] for row in rows]


def owning_databases(session: Session, clone: Role) -> list[str]:
    """Return the databases where the clone owns something.

    What is shared by all, such as a database itself, counts for the connected one. Default
    privileges and user mappings are recorded alike, but REASSIGN OWNED passes over them.
    """
    rows = session.run(
        "SELECT DISTINCT coalesce(b.datname, current_database())::text"
        " FROM pg_shdepend d LEFT JOIN pg_database b ON b.oid = d.dbid"
        " WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = :clone::oid"
        " AND d.deptype = 'o' AND d.classid NOT IN"
        " ('pg_default_acl'::regclass, 'pg_user_mapping'::regclass) ORDER BY 1",
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
