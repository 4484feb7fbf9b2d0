"""Settings of a role (ALTER ROLE ... SET), which another role does not inherit."""

from pg8000.native import identifier, literal

from rekey.engines.postgresql.session import Session
from rekey.errors import MissingPrivilege

LISTS_OF_NAMES = frozenset(
    {
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    }
)
"""Settings whose stored text is a list of quoted names: one literal would become one name.

Source: GUC_LIST_QUOTE in PostgreSQL's table of settings.
"""

Settings = dict[tuple[str | None, str], str]
"""Value by database (None: all of them) and name of the setting."""


def converge(session: Session, base: str, clone: str) -> None:
    """Give ``clone`` the settings of ``base``, and let it act as ``base``."""
    wanted = {(None, "role"): base, **_settings(session, base)}
    for key in [key for key in wanted if key[1] == "role" and wanted[key] == "none"]:
        wanted[key] = base  # For the base user, "none" is itself.
    present = _settings(session, clone)
    for database, name in sorted(present.keys() - wanted.keys(), key=str):
        session.run(f"{_alter(clone, database)} RESET {identifier(name)}")
    for (database, name), value in sorted(wanted.items(), key=str):
        if present.get((database, name)) != value:
            _set(session, clone, database, name, value)


def _settings(session: Session, role: str) -> Settings:
    rows = session.run(
        "SELECT b.datname::text, option FROM pg_db_role_setting s"
        " JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database b ON b.oid = s.setdatabase,"
        " unnest(s.setconfig) AS option WHERE r.rolname = :role",
        role=role,
    )
    pairs = ((database, option.partition("=")) for database, option in rows)
    return {(database, name): value for database, (name, _, value) in pairs}


def _set(session: Session, clone: str, database: str | None, name: str, value: str) -> None:
    alter = f"{_alter(clone, database)} SET {identifier(name)}"
    try:
        if name in LISTS_OF_NAMES:
            # The session takes the stored text as it is, and the role takes it from the session.
            session.run("SELECT set_config(:name, :value, true)", name=name, value=value)
            session.run(f"{alter} FROM CURRENT")
            # A function of that name may stand in the path just set: SET looks none up.
            session.run("SET LOCAL search_path = ''")
        else:
            session.run(f"{alter} TO {literal(value)}")
    except MissingPrivilege as error:
        raise MissingPrivilege(
            f"The setting {name} may not be copied to {clone}: {error}"
        ) from None


def _alter(clone: str, database: str | None) -> str:
    where = f" IN DATABASE {identifier(database)}" if database else ""
    return f"ALTER ROLE {identifier(clone)}{where}"
