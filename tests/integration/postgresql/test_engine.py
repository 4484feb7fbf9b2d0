"""The PostgreSQL engine on real servers."""

import secrets
from collections.abc import Iterator

import pytest
from pg8000.native import identifier, literal

from local.postgres_address import PostgresAddress
from rekey import errors
from rekey.ports import PeerChange
from tests.database import new_password
from tests.postgres_database import PostgresServer


def test_a_user_changes_its_own_password(server: PostgresServer) -> None:
    new = new_password()
    with server.connect(server.base, server.password) as connection:
        connection.set_password(server.base, new)
    server.connect(server.base, new).close()
    with pytest.raises(errors.CredentialsRejected):
        server.connect(server.base, server.password)


def test_changing_a_password_twice_to_the_same_is_harmless(server: PostgresServer) -> None:
    new = new_password()
    with server.connect(server.base, server.password) as connection:
        connection.set_password(server.base, new)
        connection.set_password(server.base, new)
    server.connect(server.base, new).close()


def test_a_user_that_acts_as_another_role_changes_its_own_password(server: PostgresServer) -> None:
    owner = f"{server.base}_owner"
    server.postgres.execute(
        f"CREATE ROLE {owner}",
        f"GRANT {owner} TO {server.base}",
        f"ALTER ROLE {server.base} SET role = '{owner}'",
    )
    new = new_password()
    with server.connect(server.base, server.password) as connection:
        connection.set_password(server.base, new)
    with server.connect(server.base, new) as connection:
        connection.check_identity(server.base, server.base)
    server.postgres.execute(f"DROP ROLE {owner}")


def test_a_user_whose_transactions_are_read_only_changes_its_own_password(
    server: PostgresServer,
) -> None:
    server.postgres.execute(f"ALTER ROLE {server.base} SET default_transaction_read_only = on")
    new = new_password()
    with server.connect(server.base, server.password) as connection:
        connection.set_password(server.base, new)
    server.connect(server.base, new).close()


def test_what_one_alternating_user_creates_the_other_reads_and_alters(
    server: PostgresServer,
) -> None:
    clone_password = new_password()
    server.postgres.execute(f"CREATE SCHEMA {server.base} AUTHORIZATION {server.base}")
    server.provide(server.clone, clone_password)
    table, other = f"{server.base}.made_by_clone", f"{server.base}.made_by_base"
    server.query(server.clone, clone_password, f"CREATE TABLE {table} (id int)")
    server.query(server.base, server.password, f"CREATE TABLE {other} (id int)")
    for username, password in ((server.base, server.password), (server.clone, clone_password)):
        for name in (table, other):
            column = f"c_{secrets.token_hex(3)}"
            statements = (
                f"INSERT INTO {name} (id) VALUES (1)",
                f"ALTER TABLE {name} ADD COLUMN {column} int",
                f"SELECT tableowner FROM pg_tables WHERE tablename = '{name.split('.')[1]}'",
            )
            assert server.query(username, password, *statements) == [[server.base]]


def test_both_users_log_in_while_they_alternate(server: PostgresServer) -> None:
    clone_password, base_password = new_password(), new_password()
    server.provide(server.clone, clone_password)
    for username, password in ((server.base, server.password), (server.clone, clone_password)):
        with server.connect(username, password) as connection:
            connection.check_identity(username, server.base)
    server.provide(server.base, base_password)
    for username, password in ((server.base, base_password), (server.clone, clone_password)):
        with server.connect(username, password) as connection:
            connection.check_identity(username, server.base)


def settings_of(server: PostgresServer, role: str) -> set[tuple[str | None, str]]:
    rows = server.postgres.execute(
        "SELECT b.datname, o FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole"
        " LEFT JOIN pg_database b ON b.oid = s.setdatabase, unnest(s.setconfig) AS o"
        f" WHERE r.rolname = '{role}'"
    )
    return {(database, option) for database, option in rows}


def test_settings_and_limits_of_the_base_user_are_copied_to_the_clone(
    server: PostgresServer,
) -> None:
    server.postgres.execute(
        f"ALTER ROLE {server.base} CONNECTION LIMIT 7 VALID UNTIL '2999-01-02' CREATEDB",
        f"""ALTER ROLE {server.base} SET search_path = "$user", 'Odd ''name', public""",
        f"ALTER ROLE {server.base} SET statement_timeout = '77s'",
        f"ALTER ROLE {server.base} SET app.tenant = 'it''s \\ 50%'",
        f"ALTER ROLE {server.base} IN DATABASE postgres SET work_mem = '8MB'",
        f"ALTER ROLE {server.base} IN DATABASE template1 SET search_path = a, b",
    )
    server.provide(server.clone, new_password())
    wanted = settings_of(server, server.base) | {(None, f"role={server.base}")}
    assert settings_of(server, server.clone) == wanted
    columns = "rolconnlimit, rolvaliduntil, rolcreatedb, rolcanlogin, rolinherit"
    rows = [
        server.postgres.execute(f"SELECT {columns} FROM pg_roles WHERE rolname = '{name}'")
        for name in (server.base, server.clone)
    ]
    assert rows[0] == rows[1]


def test_what_the_base_user_lost_the_clone_loses(server: PostgresServer) -> None:
    role = f"{server.base}_extra"
    server.postgres.execute(
        f"CREATE ROLE {role}",
        f"ALTER ROLE {server.base} CONNECTION LIMIT 7 VALID UNTIL '2999-01-02' CREATEDB",
        f"ALTER ROLE {server.base} SET statement_timeout = '77s'",
    )
    server.provide(server.clone, new_password())
    server.postgres.execute(
        f"GRANT {role} TO {server.clone}",
        f"ALTER ROLE {server.clone} NOINHERIT NOLOGIN",
        f"ALTER ROLE {server.base} CONNECTION LIMIT -1 VALID UNTIL 'infinity' NOCREATEDB",
        f"ALTER ROLE {server.base} RESET statement_timeout",
    )
    password = new_password()
    server.provide(server.clone, password)
    assert settings_of(server, server.clone) == {(None, f"role={server.base}")}
    assert server.query(
        server.clone,
        password,
        "SELECT rolconnlimit, rolcreatedb, pg_has_role(session_user, "
        f"'{role}', 'MEMBER'), rolvaliduntil::text FROM pg_roles WHERE rolname = session_user",
    ) == [[-1, False, False, "infinity"]]
    server.postgres.execute(f"DROP ROLE {role}")


def test_a_clone_that_lost_its_membership_stops_it_and_the_grant_named_repairs_it(
    server: PostgresServer,
) -> None:
    server.provide(server.clone, new_password())
    server.postgres.execute(f"REVOKE {server.base} FROM {server.clone}")
    password = new_password()
    with pytest.raises(errors.PrivilegesDiffer) as raised:
        server.provide(server.clone, password)
    server.postgres.execute(str(raised.value).partition("run: ")[2].rstrip("."))
    server.provide(server.clone, password)
    with server.connect(server.clone, password) as connection:
        connection.check_identity(server.clone, server.base)


def test_a_clone_that_runs_as_itself_does_not_pass_the_test(server: PostgresServer) -> None:
    password = new_password()
    server.provide(server.clone, password)
    server.postgres.execute(f"ALTER ROLE {server.clone} RESET role")
    with (
        server.connect(server.clone, password) as connection,
        pytest.raises(errors.PrivilegesDiffer, match=f"acts as {server.clone}"),
    ):
        connection.check_identity(server.clone, server.base)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("ALTER ROLE {clone} CREATEDB", "the attribute CREATEDB"),
        ("GRANT pg_monitor TO {clone}", "membership in pg_monitor"),
        ("GRANT CREATE ON SCHEMA public TO {clone}", "rights granted to it directly in postgres"),
        (
            "ALTER DEFAULT PRIVILEGES FOR ROLE {clone} GRANT SELECT ON TABLES TO pg_monitor",
            "default privileges in postgres",
        ),
        ("GRANT CREATE ON DATABASE postgres TO {clone}", "rights granted to it directly"),
        (
            "CREATE TABLE t_{clone} (); CREATE POLICY p ON t_{clone} TO {clone} USING (true)",
            "policies in postgres",
        ),
    ],
)
def test_a_clone_in_use_with_a_right_of_its_own_stops_the_rotation_untouched(
    server: PostgresServer, statement: str, named: str
) -> None:
    server.provide(server.clone, new_password())
    server.postgres.execute(statement.format(clone=server.clone))
    with pytest.raises(errors.PrivilegesDiffer, match=named):
        server.provide(server.base, new_password())
    server.connect(server.base, server.password).close()


def test_a_base_user_whose_time_has_passed_gets_no_password(server: PostgresServer) -> None:
    server.provide(server.clone, new_password())
    server.postgres.execute(f"ALTER ROLE {server.base} VALID UNTIL '2001-01-01'")
    for pending in (server.base, server.clone):
        with pytest.raises(errors.AccountExpired, match="VALID UNTIL 'infinity'"):
            server.provide(pending, new_password())


def test_the_right_to_pass_the_base_user_s_rights_on_is_taken_away(server: PostgresServer) -> None:
    server.provide(server.clone, new_password())
    server.postgres.execute(f"GRANT {server.base} TO {server.clone} WITH ADMIN OPTION")
    with pytest.raises(errors.PrivilegesDiffer, match="ADMIN OPTION"):
        server.provide(server.base, new_password())
    server.provide(server.clone, new_password())
    administers = f"pg_has_role('{server.clone}', '{server.base}', 'MEMBER WITH ADMIN OPTION')"
    assert server.postgres.execute(f"SELECT {administers}") == [[False]]


def test_a_base_user_that_is_itself_in_one_database_has_a_clone_that_is_the_base_user_there(
    server: PostgresServer,
) -> None:
    server.postgres.execute(f"ALTER ROLE {server.base} IN DATABASE postgres SET role = 'none'")
    password = new_password()
    server.provide(server.clone, password)
    with server.connect(server.clone, password) as connection:
        connection.check_identity(server.clone, server.base)


def test_valid_until_is_copied_to_the_second_whatever_the_server_s_style_of_dates(
    server: PostgresServer,
) -> None:
    server.postgres.execute(
        f"ALTER ROLE {server.base} VALID UNTIL '2999-02-03 04:05:06+00'",
        "ALTER DATABASE postgres SET datestyle = 'SQL, DMY'",
        "ALTER DATABASE postgres SET timezone = 'Asia/Kolkata'",
    )
    try:
        server.provide(server.clone, new_password())
    finally:
        server.postgres.execute("ALTER DATABASE postgres RESET ALL")
    rows = server.postgres.execute(
        "SELECT count(DISTINCT rolvaliduntil) FROM pg_roles"
        f" WHERE rolname IN ('{server.base}', '{server.clone}')"
    )
    assert rows == [[1]]


def test_a_missing_base_user_is_named(server: PostgresServer) -> None:
    change = PeerChange("nobody_here", "nobody_here_clone", "nobody_here_clone", new_password())
    with (
        server.superuser() as connection,
        pytest.raises(errors.UserMissing, match="nobody_here"),
    ):
        connection.provide_peer(change)


def test_a_failure_half_way_leaves_everything_as_it_was(server: PostgresServer) -> None:
    """A setting that only the server's owner may copy fails after CREATE ROLE and GRANT."""
    admin, password = f"{server.base}_admin", new_password()
    server.postgres.execute(
        f"CREATE ROLE {admin} LOGIN CREATEROLE PASSWORD {literal(password)}",
        f"GRANT {server.base} TO {admin} WITH ADMIN OPTION",
        f"ALTER ROLE {server.base} SET log_statement = 'none'",
    )
    change = PeerChange(server.base, server.clone, server.clone, new_password())
    with (
        server.connect(admin, password) as connection,
        pytest.raises(errors.MissingPrivilege, match="log_statement"),
    ):
        connection.provide_peer(change)
    assert not server.postgres.execute(f"SELECT 1 FROM pg_roles WHERE rolname = '{server.clone}'")
    server.postgres.execute(f"GRANT SET ON PARAMETER log_statement TO {admin}")
    with server.connect(admin, password) as connection:
        connection.provide_peer(change)
    server.connect(server.clone, change.password).close()
    server.postgres.execute(
        f"DROP OWNED BY {server.clone}", f"DROP ROLE {server.clone}", f"DROP OWNED BY {admin}"
    )
    server.postgres.execute(f"DROP ROLE {admin}")


def test_a_superuser_with_only_createrole_and_the_admin_option_suffices(
    server: PostgresServer,
) -> None:
    """Before PostgreSQL 16, CREATEROLE alone is enough."""
    admin, password = f"{server.base}_admin", new_password()
    server.postgres.execute(f"CREATE ROLE {admin} LOGIN CREATEROLE PASSWORD {literal(password)}")
    change = PeerChange(server.base, server.clone, server.clone, new_password())
    if server.postgres.version >= 16:
        missing = f'GRANT "{server.base}" TO "{admin}" WITH ADMIN OPTION'
        with (
            server.connect(admin, password) as connection,
            pytest.raises(errors.MissingPrivilege, match=missing),
        ):
            connection.provide_peer(change)
        server.postgres.execute(missing)
    with server.connect(admin, password) as connection:
        connection.provide_peer(change)
    with server.connect(server.clone, change.password) as connection:
        connection.check_identity(server.clone, server.base)
    server.postgres.execute(
        f"DROP OWNED BY {server.clone}", f"DROP ROLE {server.clone}", f"DROP OWNED BY {admin}"
    )
    server.postgres.execute(f"DROP ROLE {admin}")


@pytest.mark.parametrize(
    "name", ["Üser Name", 'quo"te', "per%cent", "back\\slash", "o'brien", ":x"]
)
def test_names_and_passwords_of_any_kind_rotate(each_postgres: PostgresAddress, name: str) -> None:
    postgres = each_postgres
    password = "p'ä\\s\"s %: " + new_password()
    postgres.execute(f"CREATE ROLE {identifier(name)} LOGIN PASSWORD {literal(password)}")
    server = PostgresServer(postgres, name, password)
    try:
        server.provide(server.clone, password)
        with server.connect(server.clone, password) as connection:
            connection.check_identity(server.clone, name)
        with server.connect(name, password) as connection:
            connection.set_password(name, password + "!")
        server.connect(name, password + "!").close()
    finally:
        for role in (server.clone, name):
            postgres.execute(f"DROP ROLE IF EXISTS {identifier(role)}")


def verifier(server: PostgresServer, user: str) -> str:
    stored = server.postgres.execute(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{user}'")
    return str(stored[0][0])


def set_to_md5(server: PostgresServer, user: str, *, logged: str) -> None:
    for setting, value in (("password_encryption", "md5"), ("log_statement", logged)):
        server.postgres.execute(f"ALTER ROLE {user} SET {setting} = '{value}'")


def test_who_has_logged_in_by_scram_does_so_afterwards_though_the_server_is_set_to_md5(
    server: PostgresServer,
) -> None:
    """An MD5 verifier would not log in, as this server's pg_hba.conf asks for SCRAM."""
    set_to_md5(server, server.base, logged="none")
    new = new_password()
    with server.connect(server.base, server.password) as connection:
        connection.set_password(server.base, new)
    server.connect(server.base, new).close()


@pytest.fixture
def md5_line(server: PostgresServer) -> Iterator[None]:
    """Let pg_hba.conf admit MD5 verifiers for a while, and SCRAM ones too."""
    execute = server.postgres.execute
    path = literal(execute("SELECT current_setting('hba_file')")[0][0])
    before = execute(f"SELECT pg_read_file({path})")[0][0]

    def write(content: str) -> None:
        execute(f"COPY (SELECT unnest({lines(content)})) TO {path}")
        execute("SELECT pg_reload_conf()")

    write(before.replace("scram-sha-256", "md5"))
    yield
    write(before)


def lines(text: str) -> str:
    return f"ARRAY[{', '.join(map(literal, text.splitlines()))}]"


@pytest.mark.usefixtures("md5_line")
def test_a_server_set_to_md5_gets_an_md5_verifier_which_logs_in(server: PostgresServer) -> None:
    set_to_md5(server, server.base, logged="none")
    old, new = new_password(), new_password()
    server.postgres.execute(
        "SET password_encryption = 'md5'", f"ALTER ROLE {server.base} PASSWORD {literal(old)}"
    )
    with server.connect(server.base, old) as connection:
        connection.set_password(server.base, new)
    assert verifier(server, server.base).startswith("md5")
    server.connect(server.base, new).close()


@pytest.mark.parametrize("logged", ["ddl", "mod", "all"])
def test_an_md5_verifier_is_not_sent_where_it_would_stand_in_the_log(
    server: PostgresServer, logged: str
) -> None:
    """It is as good as the password."""
    set_to_md5(server, "postgres", logged=logged)
    try:
        before = verifier(server, server.base)
        with (
            server.superuser() as connection,
            pytest.raises(errors.PlaintextRefused, match="log_statement"),
        ):
            connection.set_password(server.base, new_password())
        assert verifier(server, server.base) == before
    finally:
        for setting in ("password_encryption", "log_statement"):
            server.postgres.execute(f"ALTER ROLE postgres RESET {setting}")


def test_no_password_reaches_the_server_s_log_or_its_statistics(server: PostgresServer) -> None:
    server.postgres.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    passwords = [new_password() for _ in range(3)]
    with server.connect(server.base, server.password) as connection:
        connection.set_password(server.base, passwords[0])
    server.provide(server.clone, passwords[1])
    server.provide(server.base, passwords[2])
    server.connect(server.base, passwords[2]).close()
    log = server.own.log.read_text()
    statistics = str(server.postgres.execute("SELECT query FROM pg_stat_statements"))
    assert f'ALTER ROLE "{server.base}" PASSWORD' in log
    for password in passwords:
        assert password not in log
        assert password not in statistics
