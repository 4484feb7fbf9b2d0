"""What AWS's rotation template left behind: a clone that owns what it made."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pg8000.native import literal

from rekey import errors
from rekey.ports import PeerChange
from tests.database import new_password
from tests.postgres_database import PostgresServer

KINDS = {
    "table": ("CREATE TABLE {schema}.{name} (id int)", "SELECT * FROM {schema}.{name}"),
    "view": ("CREATE VIEW {schema}.{name} AS SELECT 1 AS one", "SELECT * FROM {schema}.{name}"),
    "sequence": ("CREATE SEQUENCE {schema}.{name}", "SELECT nextval('{schema}.{name}')"),
    "function": (
        "CREATE FUNCTION {schema}.{name}() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SELECT {schema}.{name}()",
    ),
    "type": ("CREATE TYPE {schema}.{name} AS ENUM ('a')", "SELECT 'a'::{schema}.{name}"),
}
"""How an object of each kind is made, and how it is used."""


@dataclass
class TakenOver:
    """Two users as AWS's template leaves them: the clone a plain member of the base user."""

    server: PostgresServer
    databases: tuple[str, str]
    clone_password: str
    admin: str
    admin_password: str

    def create(self, username: str, password: str) -> None:
        """Make one object of each kind, a schema and a large object, in both databases."""
        for database in self.databases:
            schema = f"s_{secrets.token_hex(4)}"
            with self.server.postgres.connect(username, password, database) as connection:
                connection.run(f"CREATE SCHEMA {schema}")
                for kind, (create, _) in KINDS.items():
                    connection.run(create.format(schema=schema, name=f"a_{kind}"))
                connection.run("SELECT lo_from_bytea(0, 'content')")

    def check(self, username: str, password: str) -> None:
        """Use and alter every object in both databases as one of the users."""
        for database in self.databases:
            with self.server.postgres.connect(username, password, database) as connection:
                schemas = connection.run("SELECT nspname FROM pg_namespace WHERE nspname ~ '^s_'")
                assert schemas
                for (schema,) in schemas:
                    for kind, (_, use) in KINDS.items():
                        name = f"a_{kind}"
                        connection.run(use.format(schema=schema, name=name))
                        object_ = f"{schema}.{name}{'()' if kind == 'function' else ''}"
                        connection.run(f"COMMENT ON {kind} {object_} IS 'altered'")
                for (oid,) in connection.run("SELECT oid FROM pg_largeobject_metadata"):
                    connection.run("SELECT lo_get(:oid::oid)", oid=oid)
                    connection.run(f"COMMENT ON LARGE OBJECT {oid} IS 'altered'")

    def provide(self, pending: str, password: str) -> None:
        change = PeerChange(self.server.base, self.server.clone, pending, password)
        with self.server.connect(self.admin, self.admin_password) as connection:
            connection.provide_peer(change)


@pytest.fixture(params=["the owner of the server", "only CREATEROLE"])
def taken_over(request: pytest.FixtureRequest, server: PostgresServer) -> Iterator[TakenOver]:
    """AWS's statements: CREATE ROLE clone LOGIN PASSWORD; GRANT base TO clone."""
    databases = (f"d_{secrets.token_hex(4)}", f'D "{secrets.token_hex(4)}"')
    admin, admin_password = f"{server.base}_admin", new_password()
    postgres, clone_password = server.postgres, new_password()
    kind = "SUPERUSER" if request.param == "the owner of the server" else "CREATEROLE"
    postgres.execute(f"CREATE ROLE {admin} LOGIN {kind} PASSWORD {literal(admin_password)}")
    postgres.execute(f"GRANT {server.base} TO {admin} WITH ADMIN OPTION")
    postgres.execute(f"REVOKE {server.base} FROM {admin}") if kind == "SUPERUSER" else None
    with postgres.connect(admin, admin_password) as connection:
        connection.run(f"CREATE ROLE {server.clone} LOGIN PASSWORD {literal(clone_password)}")
        connection.run(f"GRANT {server.base} TO {server.clone}")
    for database in databases:
        quoted = '"' + database.replace('"', '""') + '"'
        postgres.execute(f"CREATE DATABASE {quoted}")
        postgres.execute(f"GRANT CREATE ON DATABASE {quoted} TO {server.base}")
    yield TakenOver(server, databases, clone_password, admin, admin_password)
    for database in databases:
        quoted = '"' + database.replace('"', '""') + '"'
        postgres.execute(f"DROP DATABASE {quoted} WITH (FORCE)")
    postgres.execute(f"DROP OWNED BY {server.clone}", f"DROP ROLE {server.clone}")
    postgres.execute(f"DROP OWNED BY {admin}", f"DROP ROLE {admin}")


@pytest.mark.parametrize("clone_is_current", [True, False])
def test_every_object_is_read_and_altered_by_both_at_every_step(
    taken_over: TakenOver, clone_is_current: bool
) -> None:
    server, passwords = taken_over.server, {}
    passwords = {server.base: server.password, server.clone: taken_over.clone_password}
    for username, password in passwords.items():
        taken_over.create(username, password)
    pending = [server.base, server.clone, server.base]
    for username in pending if clone_is_current else pending[1:]:
        passwords[username] = new_password()
        taken_over.provide(username, passwords[username])
        for reader, password in passwords.items():
            taken_over.check(reader, password)
        taken_over.create(username, passwords[username])
    taken_over.provide(server.clone, passwords[server.clone])
    for reader, password in passwords.items():
        taken_over.check(reader, password)


def test_borrowed_rights_are_given_back(taken_over: TakenOver) -> None:
    server = taken_over.server
    taken_over.create(server.clone, taken_over.clone_password)
    members = (
        "SELECT roleid::regrole, member::regrole FROM pg_auth_members"
        f" WHERE member = '{taken_over.admin}'::regrole ORDER BY 1, 2"
    )
    before = server.postgres.execute(members)
    taken_over.provide(server.base, new_password())
    assert server.postgres.execute(members) == before


def test_a_database_that_cannot_be_connected_to_stops_it_before_any_change(
    taken_over: TakenOver,
) -> None:
    server, closed = taken_over.server, taken_over.databases[0]
    taken_over.create(server.clone, taken_over.clone_password)
    server.postgres.execute(f"ALTER DATABASE {closed} ALLOW_CONNECTIONS false")
    with pytest.raises(errors.RekeyError):
        taken_over.provide(server.base, new_password())
    server.postgres.execute(f"ALTER DATABASE {closed} ALLOW_CONNECTIONS true")
    server.connect(server.base, server.password).close()
    owners = ("SELECT DISTINCT nspowner::regrole::text FROM pg_namespace WHERE nspname ~ '^s_'",)
    for database in taken_over.databases:
        assert server.postgres.execute(*owners, database=database) == [[server.clone]]


def test_rights_that_handing_over_needs_are_named(server: PostgresServer) -> None:
    """From PostgreSQL 16 on, CREATEROLE has no say about a clone that somebody else made."""
    admin, admin_password, password = f"{server.base}_admin", new_password(), new_password()
    server.postgres.execute(
        f"CREATE ROLE {server.clone} LOGIN PASSWORD {literal(password)}",
        f"GRANT {server.base} TO {server.clone}",
        f"CREATE SCHEMA {server.base} AUTHORIZATION {server.clone}",
        f"CREATE ROLE {admin} LOGIN CREATEROLE PASSWORD {literal(admin_password)}",
        f"GRANT {server.base} TO {admin} WITH ADMIN OPTION",
    )
    change = PeerChange(server.base, server.clone, server.base, new_password())
    grant = f'GRANT "{server.clone}" TO "{admin}" WITH ADMIN OPTION'
    with server.connect(admin, admin_password) as connection:
        if server.postgres.version >= 16:
            with pytest.raises(errors.MissingPrivilege, match=grant):
                connection.provide_peer(change)
            server.postgres.execute(grant)
        with pytest.raises(errors.MissingPrivilege, match="needs CREATE on"):
            connection.provide_peer(change)
        server.postgres.execute(f"GRANT CREATE ON DATABASE postgres TO {server.base}")
        connection.provide_peer(change)
    owner = f"SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = '{server.base}'"
    assert server.postgres.execute(owner) == [[server.base]]
    server.postgres.execute(f"DROP OWNED BY {server.clone}", f"DROP ROLE {server.clone}")
    server.postgres.execute(f"DROP OWNED BY {admin}", f"DROP ROLE {admin}")
