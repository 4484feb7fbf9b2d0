"""What users, databases and foreign accounts may set turns the superuser against nobody."""

import pytest
from pg8000.native import literal

from rekey import errors
from rekey.ports import PeerChange
from tests.database import new_password
from tests.postgres_database import PostgresServer


def test_an_account_that_only_looks_like_a_clone_is_never_taken_over(
    server: PostgresServer,
) -> None:
    """Whoever may write a secret could otherwise have a superuser change a foreign account."""
    foreign = new_password()
    server.postgres.execute(
        f"CREATE ROLE {server.clone} LOGIN PASSWORD {literal(foreign)}",
        f"GRANT pg_monitor TO {server.clone}",
    )
    for pending in (server.clone, server.base):
        with pytest.raises(errors.PrivilegesDiffer):
            server.provide(pending, new_password())
    server.connect(server.clone, foreign).close()
    server.connect(server.base, server.password).close()


def test_a_clone_that_only_claims_to_act_as_the_base_user_is_never_trusted(
    server: PostgresServer,
) -> None:
    """Any role may set its own role setting to a name that it is no member of."""
    password = new_password()
    server.postgres.execute(f"CREATE ROLE {server.clone} LOGIN PASSWORD {literal(password)}")
    server.query(server.clone, password, f"ALTER ROLE {server.clone} SET role = '{server.base}'")
    for pending in (server.base, server.clone):
        with pytest.raises(errors.PrivilegesDiffer):
            server.provide(pending, new_password())
    server.connect(server.base, server.password).close()


EVIL = """
CREATE FUNCTION {schema}.{name} RETURNS text LANGUAGE plpgsql AS
$$ BEGIN EXECUTE 'ALTER ROLE {role} CREATEROLE'; RETURN ''; END $$
"""


SHADOWED = ("set_config(text, text, boolean)", "current_setting(text)", "pg_is_in_recovery()")


def is_createrole(server: PostgresServer) -> bool:
    rows = server.postgres.execute(
        f"SELECT rolcreaterole FROM pg_roles WHERE rolname = '{server.base}'"
    )
    return bool(rows[0][0])


def test_no_function_in_a_user_s_search_path_runs_with_the_superuser_s_rights(
    server: PostgresServer,
) -> None:
    """The base user may set its own search_path, and the setting is copied to the clone."""
    schema = f"{server.base}_s"
    server.postgres.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {server.base}")
    traps = [EVIL.format(schema=schema, name=name, role=server.base) for name in SHADOWED]
    path = f"ALTER ROLE {server.base} SET search_path = {schema}, pg_catalog"
    server.query(server.base, server.password, *traps, path)
    server.provide(server.clone, new_password())
    assert not is_createrole(server)


def test_no_function_in_a_database_s_search_path_runs_with_the_superuser_s_rights(
    server: PostgresServer,
) -> None:
    """Whoever owns a database may set its search_path, and the secret names the database."""
    database = f"{server.base}_d"
    server.postgres.execute(f"CREATE DATABASE {database} OWNER {server.base}")
    with server.postgres.connect(server.base, server.password, database) as connection:
        connection.run("CREATE SCHEMA evil")
        for name in SHADOWED:
            connection.run(EVIL.format(schema="evil", name=name, role=server.base))
        connection.run(f"ALTER DATABASE {database} SET search_path = evil, pg_catalog")
    change = PeerChange(server.base, server.clone, server.clone, new_password())
    with server.superuser(dbname=database) as connection:
        connection.provide_peer(change)
    server.superuser(dbname=database).close()
    assert not is_createrole(server)
    server.postgres.execute(f"DROP DATABASE {database} WITH (FORCE)")


def test_a_role_setting_of_the_database_does_not_change_who_the_superuser_is(
    server: PostgresServer,
) -> None:
    database = f"{server.base}_d"
    server.postgres.execute(
        f"CREATE DATABASE {database}", f"ALTER DATABASE {database} SET role = '{server.base}'"
    )
    change = PeerChange(server.base, server.clone, server.clone, new_password())
    with server.superuser(dbname=database) as connection:
        connection.provide_peer(change)
    server.postgres.execute(f"DROP DATABASE {database} WITH (FORCE)")
