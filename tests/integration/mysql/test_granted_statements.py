"""The statements of docs/strategies.md as they stand there.

With them a superuser rotates, and without any one of them it stops before the first change. A block
says what it is for: ``sql <engine>-<strategy>``. PostgreSQL's stand in docs/permissions.md, and
tests/integration/postgresql/test_permissions.py runs them.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from rekey import errors
from rekey.model import Label, Step, Strategy
from tests.database import new_password
from tests.documents import blocks, document, rows, section
from tests.mysql_database import MysqlServer, fresh_account
from tests.world import SUPERUSER_ARN, World

TEXT = document("strategies.md")
NAMED = re.findall(r"^```sql (\S+)$", TEXT, re.MULTILINE)
FOR_ROTATIONS = re.compile(rf"(mysql|mariadb)-({'|'.join(Strategy)})")
BLOCKS = [name for name in NAMED if FOR_ROTATIONS.fullmatch(name)]


@dataclass
class Administrator:
    """A superuser that is none: it has what the statements gave it, and nothing more."""

    server: MysqlServer
    password: str = field(default_factory=new_password)

    @property
    def name(self) -> str:
        return f"{self.server.base}_adm"

    @property
    def database(self) -> str:
        return f"{self.server.base}_orders"

    def statements(self, block: str) -> list[str]:
        """The statements of a block, about the users and the database of this test."""
        (text,) = blocks(TEXT, f"sql {block}")
        names = {
            "app": self.server.base,
            "app_clone": self.server.clone,
            "rekey_admin": self.name,
            "orders": self.database,
        }
        words = "|".join(rf"\b{name}\b" for name in names)
        lines = re.sub(words, lambda found: names[found[0]], text).strip().split(";")
        return [line.strip() for line in lines if line.strip()]

    def start_over(self, *statements: str) -> None:
        """Make the user anew, with these rights alone."""
        self.server.drop_users(self.name)
        self.server.create_user(self.name, self.password)
        self.server.execute(*statements)

    def world(self, strategy: str, **keys: str) -> World:
        """A secret and the superuser's, both with these further keys."""
        world = World(self.server, alternating=True)
        world.secret.tags["rekey:strategy"] = strategy
        superuser = world.store.secrets[SUPERUSER_ARN]
        superuser.values["v1"] = world.document(self.name, self.password, **keys)
        document = json.loads(world.secret.values["v1"] or "")
        world.secret.values["v1"] = json.dumps({**document, **keys})
        return world

    def accounts(self) -> list[str]:
        """All that the server knows of the accounts: passwords, locks, rights."""
        table = "global_priv" if self.server.address.mariadb else "user"
        rows = self.server.execute(
            f"SELECT * FROM mysql.{table} WHERE user IN ('{self.server.base}',"
            f" '{self.server.clone}') ORDER BY user",
        )
        return [repr(row) for row in rows]


@pytest.fixture
def admin(request: pytest.FixtureRequest, block: str) -> Iterator[Administrator]:
    running = request.getfixturevalue(block.partition("-")[0])
    with fresh_account(running) as server:
        admin = Administrator(server)
        server.execute(
            f"CREATE DATABASE {admin.database}",
            f"GRANT SELECT, INSERT ON {admin.database}.* TO {server.base}@'%'",
        )
        yield admin
        server.drop_users(admin.name)
        server.execute(f"DROP DATABASE {admin.database}")


def fails_untouched(admin: Administrator, strategy: str) -> None:
    world = admin.world(strategy)
    token = world.start()
    world.step(Step.CREATE, token)
    before = admin.accounts()
    with pytest.raises(errors.MissingPrivilege):
        world.step(Step.SET, token)
    assert admin.accounts() == before
    assert world.logs_in(Label.CURRENT)


def rotates(admin: Administrator, strategy: str, **keys: str) -> None:
    """Three times, so that each of two users has its turn, and a second password its end."""
    world = admin.world(strategy, **keys)
    for _ in range(3):
        world.rotate()
        assert world.settled()


@pytest.mark.parametrize("block", BLOCKS)
def test_with_the_statements_a_superuser_rotates_and_without_any_of_them_it_changes_nothing(
    admin: Administrator, block: str
) -> None:
    strategy = block.partition("-")[2]
    statements = admin.statements(block)
    for left_out in statements:
        admin.start_over(*(one for one in statements if one != left_out))
        fails_untouched(admin, strategy)
    admin.start_over(*statements)
    rotates(admin, strategy)


@pytest.mark.parametrize("block", ["mysql-dual-password", "mariadb-dual-password"])
def test_they_are_enough_where_the_secrets_name_a_database(
    admin: Administrator, block: str
) -> None:
    admin.start_over(*admin.statements(block))
    rotates(admin, "dual-password", dbname=admin.database)


@pytest.mark.parametrize("block", ["mysql-dual-password"])
def test_a_user_of_the_system_needs_a_superuser_that_is_one(
    admin: Administrator, block: str
) -> None:
    admin.server.execute(f"GRANT SYSTEM_USER ON *.* TO {admin.server.base}@'%'")
    admin.start_over(*admin.statements(block))
    fails_untouched(admin, "dual-password")
    admin.server.execute(*admin.statements("mysql-system-user"))
    rotates(admin, "dual-password")


def test_every_strategy_that_the_document_offers_has_its_statements() -> None:
    compared = "| |" + section(TEXT, "## Choose").partition("\n| |")[2]
    offered = {
        f"{engine}-{strategy}"
        for row in rows(compared)
        for engine in ("mysql", "mariadb")
        if engine in row[""].lower().split(",")[0]
        for strategy in (Strategy.ALTERNATING_USERS, Strategy.DUAL_PASSWORD)
        if row[strategy] != "not yet"
    }
    assert set(BLOCKS) == offered
