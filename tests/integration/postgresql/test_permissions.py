"""The statements of docs/permissions.md as they stand there.

With them rotations work, and without any one of them they stop.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from pg8000.native import literal

from rekey import errors
from rekey.ports import PeerChange
from tests.database import new_password
from tests.documents import blocks, document, section
from tests.postgres_database import PostgresServer

TEXT = section(document("permissions.md"), "## PostgreSQL: what the superuser needs")

KINDS = {
    "table": "CREATE TABLE {schema}.thing (id int)",
    "view": "CREATE VIEW {schema}.thing AS SELECT 1 AS one",
    "sequence": "CREATE SEQUENCE {schema}.thing",
    "type": "CREATE TYPE {schema}.thing AS ENUM ('a')",
    "large object": "SELECT lo_from_bytea(0, 'content')",
}
"""What the document says needs no CREATE."""


@dataclass
class Administrator:
    """A superuser that is none: it has what the statements gave it, and nothing more."""

    server: PostgresServer
    password: str = field(default_factory=new_password)

    @property
    def name(self) -> str:
        return f"{self.server.base}_admin"

    @property
    def schema(self) -> str:
        return f"{self.server.base}_reports"

    def statements(self, block: str) -> list[str]:
        """The statements of a block, about the users, the schema and the database of this test."""
        (text,) = blocks(TEXT, f"sql {block}")
        names = {
            "app": self.server.base,
            "app_clone": self.server.clone,
            "rekey_admin": self.name,
            "reports": self.schema,
            "orders": "postgres",
        }
        words = "|".join(rf"\b{name}\b" for name in names)
        return re.sub(words, lambda found: names[found[0]], text).strip().splitlines()

    def of_version(self) -> list[str]:
        """What the server's version asks for in any case."""
        return self.statements("up-to-15" if self.server.postgres.version < 16 else "from-16")

    def provide(self, pending: str) -> None:
        change = PeerChange(self.server.base, self.server.clone, pending, new_password())
        with self.server.connect(self.name, self.password) as connection:
            connection.provide_peer(change)
        self.server.connect(pending, change.password).close()

    def rotate_twice(self) -> None:
        """Let each of the two have its turn."""
        self.provide(self.server.clone)
        self.provide(self.server.base)

    def fails_without(self, *statements: str) -> None:
        """Run the statements after it was seen that a rotation stops without them."""
        with pytest.raises(errors.MissingPrivilege):
            self.rotate_twice()
        self.server.postgres.execute(*statements)

    def make_clone(self, *, by: str) -> str:
        """A clone as AWS's template makes it, by this user or another one; its password."""
        password, postgres = new_password(), self.server.postgres
        role = f"CREATE ROLE {self.server.clone} LOGIN PASSWORD {literal(password)}"
        member = f"GRANT {self.server.base} TO {self.server.clone}"
        if by == self.name:
            with postgres.connect(self.name, self.password) as connection:
                connection.run(role)
                connection.run(member)
        else:
            postgres.execute(role, member)
        return password

    def create_as_clone(self, password: str, *statements: str) -> None:
        with self.server.postgres.connect(self.server.clone, password) as connection:
            for statement in statements:
                connection.run(statement.format(schema=self.schema))


@pytest.fixture
def admin(server: PostgresServer) -> Iterator[Administrator]:
    admin, postgres = Administrator(server), server.postgres
    postgres.execute(
        f"CREATE ROLE {admin.name} LOGIN PASSWORD {literal(admin.password)}",
        f"CREATE SCHEMA {admin.schema}",
    )
    yield admin
    postgres.execute(f"DROP SCHEMA {admin.schema} CASCADE")
    # Roles that it made go first: from 16 on it is the one who granted their memberships.
    for name in (server.clone, admin.name):
        if postgres.execute(f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'"):
            postgres.execute(f"DROP OWNED BY {name} CASCADE", f"DROP ROLE {name}")


@pytest.fixture
def sufficient(admin: Administrator) -> Administrator:
    """One that has what its server's version asks for."""
    admin.server.postgres.execute(*admin.of_version())
    return admin


def test_with_the_statements_of_its_version_a_superuser_rotates_and_without_one_it_does_not(
    admin: Administrator,
) -> None:
    for statement in admin.of_version():
        admin.fails_without(statement)
    admin.rotate_twice()
    admin.rotate_twice()


def test_a_clone_that_somebody_else_made_needs_the_admin_option_from_16_on(
    sufficient: Administrator,
) -> None:
    sufficient.make_clone(by="the server's owner")
    if sufficient.server.postgres.version >= 16:
        sufficient.fails_without(*sufficient.statements("clone-of-another-16"))
    sufficient.rotate_twice()


@pytest.mark.parametrize("kind", KINDS)
def test_relations_types_and_large_objects_are_handed_over_without_create(
    sufficient: Administrator, kind: str
) -> None:
    password = sufficient.make_clone(by=sufficient.name)
    clone = sufficient.server.clone
    sufficient.server.postgres.execute(f"GRANT CREATE ON SCHEMA {sufficient.schema} TO {clone}")
    sufficient.create_as_clone(password, KINDS[kind])
    sufficient.server.postgres.execute(f"REVOKE ALL ON SCHEMA {sufficient.schema} FROM {clone}")
    sufficient.rotate_twice()


@pytest.mark.parametrize(
    ("block", "place", "statement"),
    [
        (
            "hand-over-schema",
            "SCHEMA {schema}",
            "CREATE FUNCTION {schema}.thing() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        ),
        ("hand-over-schema", "SCHEMA {schema}", 'CREATE COLLATION {schema}.thing FROM "C"'),
        ("hand-over-database", "DATABASE postgres", "CREATE SCHEMA {schema}_2"),
        ("hand-over-database", "DATABASE postgres", "CREATE PUBLICATION {schema}"),
    ],
)
def test_what_else_the_clone_owns_is_handed_over_once_the_base_user_may_create_it(
    sufficient: Administrator, block: str, place: str, statement: str
) -> None:
    postgres, server = sufficient.server.postgres, sufficient.server
    where = place.format(schema=sufficient.schema)
    password = sufficient.make_clone(by=sufficient.name)
    postgres.execute(f"GRANT ALL ON {where} TO {server.clone}")
    sufficient.create_as_clone(password, statement)
    postgres.execute(f"REVOKE ALL ON {where} FROM {server.clone}")
    grants = sufficient.statements(block)
    sufficient.fails_without(*grants)
    sufficient.rotate_twice()
    postgres.execute(
        *(grant.replace("GRANT", "REVOKE").replace(" TO ", " FROM ") for grant in grants)
    )
    sufficient.rotate_twice()


def test_up_to_15_a_superuser_that_does_not_inherit_hands_nothing_over(
    sufficient: Administrator,
) -> None:
    postgres, clone = sufficient.server.postgres, sufficient.server.clone
    sufficient.make_clone(by=sufficient.name)
    postgres.execute(
        f"CREATE TABLE {sufficient.schema}.thing (id int)",
        f"ALTER TABLE {sufficient.schema}.thing OWNER TO {clone}",
        f"ALTER ROLE {sufficient.name} NOINHERIT",
    )
    if postgres.version < 16:
        sufficient.fails_without(*sufficient.statements("hand-over-inherit"))
    sufficient.rotate_twice()


def test_a_setting_that_only_the_server_s_owner_may_set_can_be_granted(
    sufficient: Administrator,
) -> None:
    base = sufficient.server.base
    sufficient.server.postgres.execute(f"ALTER ROLE {base} SET log_statement = 'none'")
    sufficient.fails_without(*sufficient.statements("settings"))
    sufficient.rotate_twice()


def test_an_attribute_needs_from_16_on_that_the_superuser_has_it(
    sufficient: Administrator,
) -> None:
    sufficient.server.postgres.execute(f"ALTER ROLE {sufficient.server.base} CREATEDB")
    if sufficient.server.postgres.version >= 16:
        sufficient.fails_without(*sufficient.statements("attributes-16"))
    sufficient.rotate_twice()


def test_a_single_user_needs_nothing(server: PostgresServer) -> None:
    new = new_password()
    with server.connect(server.base, server.password) as connection:
        connection.set_password(server.base, new)
    server.connect(server.base, new).close()
