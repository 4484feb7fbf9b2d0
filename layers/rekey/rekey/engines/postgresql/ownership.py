"""Hand over what the clone owns to the base user, in every database.

A clone that AWS's template made runs as itself and owns what it creates. Once it acts as the base
user, neither of them could read that any more. The clone inherits the base user's rights, so it
loses nothing by the change.

REASSIGN OWNED works on the connected database and on shared objects (PostgreSQL documentation,
REASSIGN OWNED), and needs the rights of both roles. A superuser that is only CREATEROLE, as on
RDS, borrows them within the transaction.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

from pg8000.native import identifier

from rekey.engines.postgresql.clone import owning_databases
from rekey.engines.postgresql.roles import POSTGRESQL_16, Role, read_role, without_admin_option
from rekey.engines.postgresql.session import Session
from rekey.errors import MissingPrivilege


def hand_over(
    session: Session, base: Role, clone: Role, open_database: Callable[[str], Session]
) -> None:
    """Give the base user what the clone owns; other databases first, each in one transaction.

    Every database is connected to before the first one is changed.
    """
    databases = owning_databases(session, clone)
    if not databases:
        return
    _check_rights(session, base, clone)
    here = session.run("SELECT current_database()::text")[0][0]
    with ExitStack() as stack:
        others = [
            stack.enter_context(closing(open_database(name))) for name in databases if name != here
        ]
        for other in others:
            with other.transaction(lock=base.name):
                _reassign(other, base, clone)
    _reassign(session, base, clone)


def _reassign(session: Session, base: Role, clone: Role) -> None:
    try:
        with _borrowed(session, clone), _borrowed(session, base):
            session.run(f"REASSIGN OWNED BY {identifier(clone.name)} TO {identifier(base.name)}")
    except MissingPrivilege as error:
        raise MissingPrivilege(
            f"What {clone.name} owns cannot be handed over to {base.name}, which needs CREATE on "
            f"the schema or database that holds it. {error}"
        ) from None


@contextmanager
def _borrowed(session: Session, role: Role) -> Iterator[None]:
    """Make the superuser a member of ``role`` for the block, unless it has its rights anyway.

    From PostgreSQL 16 on, it may have granted itself a membership without its rights before:
    that one is as it was afterwards.
    """
    if _has_rights(session, role):
        yield
        return
    modern = session.server_version >= POSTGRESQL_16
    grant = f"GRANT {identifier(role.name)} TO {identifier(session.login_name)}"
    before = modern and session.run(
        "SELECT 1 FROM pg_auth_members WHERE roleid = :role::oid AND NOT inherit_option"
        " AND member = session_user::regrole AND grantor = member",
        role=role.oid,
    )
    session.run(f"{grant} WITH INHERIT TRUE" if modern else grant)
    yield
    if before:
        session.run(f"{grant} WITH INHERIT FALSE")
    else:
        session.run(f"REVOKE {identifier(role.name)} FROM {identifier(session.login_name)}")


def _check_rights(session: Session, base: Role, clone: Role) -> None:
    lacking = [role for role in (clone, base) if not _has_rights(session, role)]
    for role in without_admin_option(session, *lacking):
        raise MissingPrivilege(
            f"{clone.name} owns objects that have to be handed over to {base.name}, and the "
            f"superuser {session.login_name} has not the rights of {role.name}. Run: GRANT "
            f"{identifier(role.name)} TO {identifier(session.login_name)} WITH ADMIN OPTION."
        )
    superuser = read_role(session, session.login_name)
    if lacking and superuser and not superuser.inherits and session.server_version < POSTGRESQL_16:
        raise MissingPrivilege(
            f"{clone.name} owns objects that have to be handed over to {base.name}, and the "
            f"superuser {session.login_name} does not inherit. Run: ALTER ROLE "
            f"{identifier(session.login_name)} INHERIT."
        )


def _has_rights(session: Session, role: Role) -> bool:
    rows = session.run("SELECT pg_has_role(current_user, :role::oid, 'USAGE')", role=role.oid)
    return bool(rows[0][0])
