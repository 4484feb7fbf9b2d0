"""What the report says of a server, held against what a rotation then does."""

import ssl
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pg8000.native import literal

from local.migration.databases import Databases
from local.migration.findings import Finding, Severity
from local.migration.judgement import judge
from local.migration.observation import (
    Database,
    Origin,
    Place,
    RotationFunction,
    Secret,
    Stack,
    Superuser,
)
from rekey import errors
from rekey.credential import Credential
from rekey.model import SecretMetadata
from rekey.ports import PeerChange
from tests.database import new_password
from tests.documents import blocks, document
from tests.postgres_database import PostgresServer

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app-AbCdEf"
SUPERUSER_ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:superuser-AbCdEf"
FUNCTION = RotationFunction("arn:aws:lambda:eu-west-1:111122223333:function:f", Origin.AWS_TEMPLATE)


class Move:
    """A secret with the clone of AWS's template, whose superuser has CREATEROLE alone."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.admin, self.admin_password = f"{server.base}_admin", new_password()
        self.clone_password = new_password()

    def secret(self, **keys: object) -> Secret:
        server = self.server
        keys = {"masterarn": SUPERUSER_ARN, **keys}
        current = server.credential(server.base, server.password, **keys)
        superuser = server.credential(self.admin, self.admin_password)
        return Secret(
            "app",
            SecretMetadata(ARN, rotation_enabled=True, labels={}, tags={}),
            FUNCTION,
            credential=current,
            superuser=Superuser(SUPERUSER_ARN, superuser, tagged=True, listed=False),
        )

    def look(self, secret: Secret | None = None) -> Database:
        ca = str(self.server.postgres.ca_file)
        databases = Databases(lambda: ssl.create_default_context(cafile=ca))
        seen = databases.look(secret or self.secret())
        assert seen
        return seen

    def stops(self, secret: Secret | None = None) -> list[Finding]:
        """What the report says would stop the first rotation, or the second."""
        secret = secret or self.secret()
        verdict = judge(replace(secret, database=self.look(secret)), Stack())
        return [f for f in verdict.findings if f.severity is Severity.STOPS]

    def rotate_twice(self) -> None:
        for pending in (self.server.clone, self.server.base):
            change = PeerChange(self.server.base, self.server.clone, pending, new_password())
            with self.server.connect(self.admin, self.admin_password) as connection:
                connection.provide_peer(change)

    def execute(self, *statements: str) -> None:
        names = {"base": self.server.base, "clone": self.server.clone, "admin": self.admin}
        self.server.postgres.execute(*(statement.format(**names) for statement in statements))

    def as_clone(self, *statements: str) -> None:
        with self.server.postgres.connect(self.server.clone, self.clone_password) as connection:
            for statement in statements:
                connection.run(statement.format(base=self.server.base))


@pytest.fixture
def move(server: PostgresServer) -> Iterator[Move]:
    move = Move(server)
    password = literal(move.admin_password)
    move.execute(
        f"CREATE ROLE {{admin}} LOGIN CREATEROLE PASSWORD {password}",
        "GRANT {base} TO {admin} WITH ADMIN OPTION",
        "CREATE SCHEMA {base}",
        "GRANT USAGE, CREATE ON SCHEMA {base} TO {base}",
    )
    with server.postgres.connect(move.admin, move.admin_password) as connection:
        password = literal(move.clone_password)
        connection.run(f"CREATE ROLE {server.clone} LOGIN PASSWORD {password}")
        connection.run(f"GRANT {server.base} TO {server.clone}")
    yield move
    move.execute("DROP SCHEMA {base} CASCADE")
    for name in (server.clone, move.admin):
        server.postgres.execute(f"DROP OWNED BY {name} CASCADE", f"DROP ROLE {name}")


def test_a_move_that_nothing_stops_works(move: Move) -> None:
    move.as_clone("CREATE TABLE {base}.made (id int)")
    seen = move.look()
    assert seen.peer
    assert (seen.peer.owns_in, seen.peer.clone_acts_as_itself) == (("postgres",), True)
    assert move.stops() == []
    move.rotate_twice()


@pytest.mark.parametrize(
    ("statements", "kind"),
    [
        (["ALTER ROLE {admin} NOCREATEROLE"], errors.MissingPrivilege),
        (["ALTER ROLE {base} SET log_statement = 'none'"], errors.MissingPrivilege),
        (
            ["ALTER ROLE {base} IN DATABASE postgres SET log_statement = 'none'"],
            errors.MissingPrivilege,
        ),
        (["ALTER ROLE {base} REPLICATION"], errors.MissingPrivilege),
        (["ALTER ROLE {base} VALID UNTIL '2001-01-01'"], errors.AccountExpired),
        (["GRANT SELECT ON pg_authid TO {clone}"], errors.PrivilegesDiffer),
    ],
)
def test_what_the_report_says_would_stop_it_stops_it_and_its_advice_helps(
    move: Move, statements: list[str], kind: type[errors.RekeyError]
) -> None:
    # An expired base user does not log in either, so its password is not asked for again.
    move.execute(*statements)
    found = move.stops()
    assert found
    if kind is not errors.AccountExpired:
        assert found[0].text.startswith(kind.__name__)
    with pytest.raises(kind):
        move.rotate_twice()
    advice = [line for f in found for line in (f.todo or "").splitlines() if line.endswith(";")]
    if advice:
        move.execute(*advice)
        assert move.stops() == []
        move.rotate_twice()


@pytest.mark.parametrize(
    ("create", "needs_create"),
    [
        ("CREATE FUNCTION {base}.made() RETURNS int LANGUAGE sql AS 'SELECT 1'", True),
        ('CREATE COLLATION {base}.made FROM "C"', True),
        ("CREATE TABLE {base}.made (id int)", False),
        ("CREATE TYPE {base}.made AS ENUM ('a')", False),
        ("SELECT lo_from_bytea(0, 'content')", False),
    ],
)
def test_the_report_asks_for_create_where_the_rotation_does(
    move: Move, create: str, needs_create: bool
) -> None:
    move.as_clone(create)
    move.execute("REVOKE CREATE ON SCHEMA {base} FROM {base}")
    base, todo = move.server.base, [finding.todo or "" for finding in move.stops()]
    grant = f'GRANT CREATE ON SCHEMA {base} TO "{base}"; -- in postgres'
    assert todo == ([grant] if needs_create else [])
    if needs_create:
        with pytest.raises(errors.MissingPrivilege):
            move.rotate_twice()
    move.execute(*todo)
    move.rotate_twice()


def test_from_16_on_a_clone_that_somebody_else_made_may_not_be_changed(move: Move) -> None:
    """An upgrade from 15 leaves every clone so."""
    move.execute("DROP ROLE {clone}", "CREATE ROLE {clone} LOGIN", "GRANT {base} TO {clone}")
    found = move.stops()
    if move.server.postgres.version >= 16:
        assert [f.text.rpartition(" ")[2] for f in found] == [f"{move.server.clone}."]
        with pytest.raises(errors.MissingPrivilege):
            move.rotate_twice()
    else:
        assert found == []
    move.execute(*(finding.todo or "" for finding in found))
    assert move.stops() == []
    move.rotate_twice()


def test_a_login_that_fails_is_named_and_no_other_is_tried(move: Move) -> None:
    secret = replace(move.secret(), credential=move.server.credential(move.server.base, "wrong"))
    seen = move.look(secret)
    assert isinstance(seen.login, errors.CredentialsRejected)
    assert seen.peer is None


def test_a_superuser_that_does_not_log_in_is_named(move: Move) -> None:
    secret = move.secret()
    assert secret.superuser
    wrong = move.server.credential(move.admin, "a wrong password")
    seen = move.look(replace(secret, superuser=replace(secret.superuser, credential=wrong)))
    assert isinstance(seen.superuser_login, errors.CredentialsRejected)
    assert "a wrong password" not in str(seen.superuser_login)


def test_a_session_of_the_report_cannot_change_anything(move: Move) -> None:
    databases = Databases(
        lambda: ssl.create_default_context(cafile=str(move.server.postgres.ca_file))
    )
    current = move.secret().credential
    assert isinstance(current, Credential)
    with (
        databases.session(current) as session,
        pytest.raises(errors.ReadOnlyEndpoint, match="25006"),
    ):
        session.run("CREATE TABLE written (id int)")


def test_a_user_that_rds_lets_change_no_password_needs_a_superuser(move: Move) -> None:
    """The setting is RDS's own; a plain server takes any name with a dot in it."""
    move.execute("ALTER ROLE {base} SET rds.restrict_password_commands = 'on'")
    secret = move.secret(masterarn=None)
    assert [f.text.partition(":")[0] for f in move.stops(secret)] == ["MissingPrivilege"]
    assert move.stops() == []


def test_other_databases_where_the_clone_owns_something_are_looked_at_too(move: Move) -> None:
    other, server = f"{move.server.base}_other", move.server
    move.execute(f"CREATE DATABASE {other}")
    try:
        server.postgres.execute(
            "CREATE FUNCTION public.made() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            f"ALTER FUNCTION public.made() OWNER TO {server.clone}",
            "REVOKE CREATE ON SCHEMA public FROM public",
            database=other,
        )
        peer = move.look().peer
        assert peer
        assert (peer.owns_in, peer.needs_create) == ((other,), (Place("SCHEMA public", other),))
    finally:
        move.execute(f"DROP DATABASE {other} WITH (FORCE)")


def test_after_the_move_the_clone_is_what_the_document_says(move: Move) -> None:
    password, server = new_password(), move.server
    change = PeerChange(server.base, server.clone, server.clone, password)
    with server.connect(move.admin, move.admin_password) as connection:
        connection.provide_peer(change)
    who = "SELECT current_user::text, session_user::text, current_schema()::text"
    with server.postgres.connect(server.clone, password) as session:
        assert session.run(who) == [[server.base, server.clone, server.base]]
        listed = "SELECT usename::text FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        assert session.run(listed) == [[server.clone]]


def test_the_way_back_lets_the_clone_run_as_itself_and_own_what_it_creates(move: Move) -> None:
    (statement,) = blocks(document("migrate-from-aws-templates.md"), "sql")
    move.rotate_twice()
    password = literal(move.clone_password)
    move.execute(
        statement.strip().replace("app_clone", "{clone}"),
        f"ALTER ROLE {{clone}} PASSWORD {password}",
    )
    move.as_clone("CREATE TABLE {base}.made (id int)")
    owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'made' AND schemaname = "
    assert move.server.postgres.execute(f"{owner}'{move.server.base}'") == [[move.server.clone]]
    move.rotate_twice()
    assert move.server.postgres.execute(f"{owner}'{move.server.base}'") == [[move.server.base]]
