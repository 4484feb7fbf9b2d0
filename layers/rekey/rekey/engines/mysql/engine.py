"""The engine as the rotation core sees it. The driver is loaded by the first login."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from rekey.credential import Credential
from rekey.engines.tls import verified_context
from rekey.model import Deadline, Strategy
from rekey.ports import Connection


@dataclass(frozen=True)
class MysqlEngine:
    """See Engine. ``tls_context`` is made only when a connection needs it.

    One class for both kinds of server: which one it is, the server says, not the secret.
    """

    tls_context: Callable[[], ssl.SSLContext] = verified_context
    name: str = field(default="mysql", init=False)
    names: frozenset[str] = field(
        default=frozenset({"mysql", "aurora-mysql", "mariadb"}), init=False
    )
    strategies: frozenset[Strategy] = field(default=frozenset(Strategy), init=False)
    clone_suffix: str = field(default="_clone", init=False)
    # MySQL counts 32 characters and MariaDB more: what fits here fits both.
    max_username_bytes: int = field(default=32, init=False)
    default_port: int = field(default=3306, init=False)
    # All of its statements are about the server, and whoever opens a database needs a right on it.
    superuser_opens_database: bool = field(default=False, init=False)

    def connect(self, credential: Credential, deadline: Deadline) -> Connection:
        """See Engine."""
        # Half of the steps never log in, and the driver takes longer to load than the rest of us.
        from rekey.engines.mysql.connection import MysqlConnection  # noqa: PLC0415 - see above

        port = credential.port or self.default_port
        context = self.tls_context() if credential.tls else None
        return MysqlConnection.open(credential, port, context, deadline)
