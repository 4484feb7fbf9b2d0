"""Log in to a PostgreSQL server as a rotation would, and only read."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from local.migration.observation import Database, Secret
from local.migration.peers import observe_peer
from rekey.credential import Credential
from rekey.engines.postgresql import PostgresqlEngine
from rekey.engines.postgresql.session import Session
from rekey.engines.sealed import Secrets
from rekey.engines.tls import verified_context
from rekey.errors import RekeyError
from rekey.model import Deadline, Strategy
from rekey.rotation.guards import check_superuser
from rekey.rotation.strategy import alternating_users, choose_strategy

SECONDS = 15.0
"""For each login and all that is asked in it."""

RESTRICTED = """
SELECT coalesce(current_setting('rds.restrict_password_commands', true), 'off') IN ('on', '1')
   AND NOT coalesce((SELECT pg_has_role(session_user, oid, 'MEMBER')
                       FROM pg_roles WHERE rolname = 'rds_password'), false)
"""


@dataclass(frozen=True)
class Databases:
    """Looks at servers. ``tls_context`` decides whom to trust, as the deployed function does."""

    tls_context: Callable[[], ssl.SSLContext] = verified_context
    engine: PostgresqlEngine = field(default_factory=PostgresqlEngine)

    def look(self, secret: Secret) -> Database | None:
        """Log in with AWSCURRENT, then with the superuser if two users alternate.

        None if the value does not say where, or how. A login that is refused counts on the server
        as any other; none is tried twice.
        """
        current = secret.credential
        if not isinstance(current, Credential) or current.engine not in self.engine.names:
            return None
        try:
            with self.session(current) as session:
                seen = Database(passwords_restricted=bool(session.run(RESTRICTED)[0][0]))
        except RekeyError as error:
            return Database(login=error)
        return self._with_peer(secret, current, seen)

    def _with_peer(self, secret: Secret, current: Credential, seen: Database) -> Database:
        superuser = secret.superuser.credential if secret.superuser else None
        if not isinstance(superuser, Credential):
            return seen
        try:
            strategy = choose_strategy(secret.metadata.tags, current, self.engine)
            users = alternating_users(current.username, self.engine)
            check_superuser(superuser, current, self.engine, secret_arn=secret.metadata.arn)
        except RekeyError:
            return seen  # The value says what is wrong; a login would not tell more.
        if strategy is not Strategy.ALTERNATING_USERS:
            return seen
        try:
            with self.session(superuser) as session:
                peer = observe_peer(
                    session,
                    users,
                    lambda name: self.session(replace(superuser, dbname=name)),
                    in_use=current.username == users.clone,
                )
        except RekeyError as error:
            return replace(seen, superuser_login=error)
        return replace(seen, peer=peer)

    @contextmanager
    def session(self, credential: Credential) -> Iterator[Session]:
        """A session that cannot change anything. What it raises holds no password."""
        secrets = Secrets(credential.password)
        session = secrets.guard(
            Session.open,
            credential,
            credential.port or self.engine.default_port,
            self.tls_context() if credential.tls else None,
            Deadline.after(SECONDS),
        )
        try:
            session.check_writable()
            session.run("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
            session.run("SET ROLE NONE")  # As a rotation does, whatever role the login acts as.
            yield session
        finally:
            session.close()
