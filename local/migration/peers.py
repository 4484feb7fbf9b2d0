"""Two alternating users, as the catalogue shows them to the superuser: SELECT and nothing else."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

from local.migration.observation import Peer, Place
from rekey.engines.postgresql import clone, roles
from rekey.engines.postgresql.roles import Role
from rekey.engines.postgresql.session import Session
from rekey.errors import PrivilegesDiffer
from rekey.rotation.strategy import AlternatingUsers

Open = Callable[[str], AbstractContextManager[Session]]
"""Opens a session on another database of the server."""

PLACES = """
SELECT CASE WHEN i.schema IS NULL THEN 'DATABASE ' || quote_ident(current_database())
       ELSE 'SCHEMA ' || quote_ident(i.schema) END AS place
  FROM pg_shdepend d, pg_identify_object(d.classid, d.objid, 0) i
 WHERE d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND d.refclassid = 'pg_authid'::regclass AND d.refobjid = :clone::oid AND d.deptype = 'o'
   AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
   AND CASE
       WHEN d.classid IN ('pg_class'::regclass, 'pg_type'::regclass,
                          'pg_largeobject'::regclass, 'pg_default_acl'::regclass,
                          'pg_user_mapping'::regclass) THEN false
       WHEN d.classid = 'pg_namespace'::regclass THEN
            NOT has_database_privilege(current_database(), 'CREATE')
            AND NOT has_database_privilege(:clone::oid, current_database(), 'CREATE')
            AND NOT has_database_privilege(:base::oid, current_database(), 'CREATE')
       WHEN i.schema IS NULL THEN
            NOT has_database_privilege(:base::oid, current_database(), 'CREATE')
       ELSE NOT has_schema_privilege(:base::oid, i.schema, 'CREATE') END
 GROUP BY 1 ORDER BY 1
"""
"""Where REASSIGN OWNED by somebody who is not SUPERUSER asks for CREATE.

The new owner of a relation or type needs none; that of a function or another object in a schema
needs it on the schema. A schema is handed over if the one who does it may create schemas, and he
borrows the rights of both users. Tried on PostgreSQL 15 and 17.
"""

SETTINGS = """
SELECT DISTINCT g.name
  FROM pg_db_role_setting s, unnest(s.setconfig) AS option
  JOIN pg_settings g ON g.name = split_part(option, '=', 1)
 WHERE s.setrole = :base::oid AND g.context IN ('superuser', 'superuser-backend')
   AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
 ORDER BY 1
"""
"""Settings of the base user that only the server's owner may set, unless they are granted."""

MAY_SET = "SELECT has_parameter_privilege(:name, 'SET')"

POSTGRESQL_15 = 150_000
"""From here on, such settings can be granted."""

OF_ROLES = """
SELECT (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user),
       (SELECT rolvaliduntil < now() FROM pg_roles WHERE oid = :base::oid)
"""


def observe_peer(
    session: Session, users: AlternatingUsers, open_database: Open, *, in_use: bool
) -> Peer:
    """Look at both users. ``in_use``: AWSCURRENT is the clone."""
    peer = Peer(superuser=session.login_name, base=users.base)
    base = roles.read_role(session, users.base)
    if base is None:
        return replace(peer, base_exists=False)
    may_create, expired = session.run(OF_ROLES, base=base.oid)[0]
    peer = replace(
        peer,
        base_expired=bool(expired),
        may_create_roles=may_create,
        settings=_settings(session, base),
        attributes=_attributes(session, base, None),
        not_administered=_not_administered(session, base),
    )
    other = roles.read_role(session, users.clone)
    if other is None:
        return peer
    owns_in = tuple(clone.owning_databases(session, other))
    return replace(
        peer,
        clone_exists=True,
        clone_acts_as_itself=roles.effective_role(session, other.name) == other.name,
        not_administered=_not_administered(session, base, other),
        attributes=_attributes(session, base, other),
        owns_in=owns_in,
        needs_inherit=bool(owns_in) and _needs_inherit(session),
        needs_create=tuple(_places(open_database, owns_in, base, other)),
        differs=_difference(session, base, other, in_use=in_use),
    )


def _not_administered(session: Session, *wanted: Role) -> tuple[str, ...]:
    return tuple(role.name for role in roles.without_admin_option(session, *wanted))


def _settings(session: Session, base: Role) -> tuple[str, ...]:
    names = [name for (name,) in session.run(SETTINGS, base=base.oid)]
    if session.server_version < POSTGRESQL_15:
        return tuple(names)
    return tuple(name for name in names if not session.run(MAY_SET, name=name)[0][0])


def _attributes(session: Session, base: Role, other: Role | None) -> tuple[str, ...]:
    """Attributes that the clone has to get and the superuser may not give.

    Before 16, CREATEROLE gives all but three; from 16 on, it gives only what it has itself.
    """
    superuser = roles.read_role(session, session.login_name)
    if superuser is None or "SUPERUSER" in superuser.attributes:
        return ()
    wanted = base.attributes - (other.attributes if other else frozenset())
    if session.server_version >= roles.POSTGRESQL_16:
        return tuple(sorted(wanted - superuser.attributes))
    return tuple(sorted(wanted - {"CREATEDB", "CREATEROLE"}))


def _needs_inherit(session: Session) -> bool:
    """Up to 15, only a role that inherits uses the rights that it grants to itself."""
    superuser = roles.read_role(session, session.login_name)
    if superuser is None or session.server_version >= roles.POSTGRESQL_16:
        return False
    return not superuser.inherits and "SUPERUSER" not in superuser.attributes


def _places(
    open_database: Open, databases: tuple[str, ...], base: Role, other: Role
) -> Iterator[Place]:
    for name in databases:
        with open_database(name) as session:
            for (place,) in session.run(PLACES, base=base.oid, clone=other.oid):
                yield Place(place, name)


def _difference(
    session: Session, base: Role, other: Role, *, in_use: bool
) -> PrivilegesDiffer | None:
    try:
        clone.check_clone(session, base, other, in_use=in_use)
    except PrivilegesDiffer as error:
        return error
    return None
