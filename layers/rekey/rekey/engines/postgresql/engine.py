"""The engine as the rotation core sees it. The driver is loaded by the first login."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from rekey.credential import Credential
from rekey.engines.tls import verified_context
from rekey.model import Deadline, Strategy
from rekey.ports import Connection


@dataclass(frozen=True)
class PostgresqlEngine:
    """See Engine. ``tls_context`` is made only when a connection needs it."""

    tls_context: Callable[[], ssl.SSLContext] = verified_context
    name: str = field(default="postgresql", init=False)
    names: frozenset[str] = field(default=frozenset({"postgres", "aurora-postgresql"}), init=False)
    strategies: frozenset[Strategy] = field(
        default=frozenset({Strategy.SINGLE_USER, Strategy.ALTERNATING_USERS}), init=False
    )
    clone_suffix: str = field(default="_clone", init=False)
    max_username_bytes: int = field(default=63, init=False)
    default_port: int = field(default=5432, init=False)
    superuser_opens_database: bool = field(default=True, init=False)

    def connect(self, credential: Credential, deadline: Deadline) -> Connection:
        """See Engine."""
        # Half of the steps never log in, and the driver takes longer to load than the rest of us.
        from rekey.engines.postgresql.connection import PostgresqlConnection  # noqa: PLC0415 - see above

        port = credential.port or self.default_port
        context = self.tls_context() if credential.tls else None
        return PostgresqlConnection.open(credential, port, context, deadline)
