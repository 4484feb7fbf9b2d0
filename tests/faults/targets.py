"""The kinds of servers that are broken. An engine is registered here, and tells its strategies."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

from local.mysql import Mysql
from local.mysql_installations import skipped
from local.postgres import Postgres
from rekey.engines.mysql import MysqlEngine
from rekey.engines.postgresql import PostgresqlEngine
from rekey.model import Strategy
from rekey.ports import Engine
from tests.faults.mysql import MysqlTarget
from tests.faults.postgresql import PostgresTarget
from tests.faults.target import Target


@dataclass(frozen=True)
class Registered:
    """How to start a server of this kind, and how to break it."""

    engine: Engine
    start: Callable[..., AbstractContextManager[Any]]
    """Takes the keyword ``authority``."""
    target: Callable[[Any], Target]

    @property
    def strategies(self) -> list[Strategy]:
        """What the engine can do, in the order of the documents."""
        return [strategy for strategy in Strategy if strategy in self.engine.strategies]


ENGINES: Mapping[str, Registered] = {
    "mysql": Registered(MysqlEngine(), partial(Mysql, "mysql"), MysqlTarget),
    "postgres": Registered(PostgresqlEngine(), Postgres, PostgresTarget),
    "mariadb": Registered(MysqlEngine(), partial(Mysql, "mariadb"), MysqlTarget),
}
"""By the name of the fixture that runs the server, which is also the secret's key ``engine``."""


def wanted_engines() -> list[str]:
    """Those that nobody asked to do without."""
    return [name for name in ENGINES if name not in skipped()]
