"""What the values of the secret and its superuser secret say about the move."""

from collections.abc import Iterator

from local.migration import commands
from local.migration.findings import Finding, failure, note, stop
from local.migration.observation import Secret, Superuser
from rekey.credential import Credential
from rekey.engines.mysql import MysqlEngine
from rekey.engines.postgresql import PostgresqlEngine
from rekey.errors import RekeyError, SecretAccessDenied
from rekey.model import Strategy
from rekey.ports import Engine
from rekey.rotation.guards import check_superuser
from rekey.rotation.strategy import alternating_users, choose_strategy

ENGINES: tuple[Engine, ...] = (PostgresqlEngine(), MysqlEngine())
"""The engines that Rekey has a rotation function for."""


def engine_of(credential: Credential) -> Engine | None:
    """The engine that serves the credential, if Rekey has it."""
    return next((engine for engine in ENGINES if credential.engine in engine.names), None)


def value_findings(secret: Secret, credential: Credential | None) -> Iterator[Finding]:
    """Findings about the secret's own value."""
    if secret.credential is None:
        yield note(
            "The value was not read, so that engine, strategy and superuser are not known.",
            "Run the report again with --read-values.",
        )
    if isinstance(secret.credential, RekeyError):
        yield _unreadable("The secret", secret.credential)
    if credential is None:
        return
    engine = engine_of(credential)
    if engine is None:
        yield stop(
            f'UnsupportedEngine: no function of Rekey serves the engine "{credential.engine}".',
            "Leave the secret with the function that it has.",
        )
        return
    yield from _strategy_findings(secret, credential, engine)
    yield from _tls_findings(secret, credential)
    yield from _unseen_server(engine)


def _unseen_server(engine: Engine) -> Iterator[Finding]:
    """What stands against it on a server that the report does not log in to, nobody has seen."""
    if engine.name != PostgresqlEngine().name:
        yield note(
            "The server was not looked at: --connect knows PostgreSQL only.",
            "To switch tests the logins. What the first rotation needs besides stands in "
            "docs/strategies.md; if something is missing, it stops before its first change.",
        )


def _strategy_findings(secret: Secret, credential: Credential, engine: Engine) -> Iterator[Finding]:
    try:
        strategy = choose_strategy(secret.metadata.tags, credential, engine)
        if strategy is Strategy.ALTERNATING_USERS:
            alternating_users(credential.username, engine)
    except RekeyError as error:
        yield failure("", error)


def _tls_findings(secret: Secret, credential: Credential) -> Iterator[Finding]:
    logged_in = secret.database is not None and secret.database.login is None
    if not credential.tls:
        yield note('The secret says "ssl": false. Rekey connects in clear too, as the secret says.')
    elif credential.document.get("ssl") is None and not logged_in:
        yield note(
            'The key "ssl" is missing. AWS\'s template goes on in clear if TLS fails; Rekey does '
            "not, and ends with TlsFailed.",
            "See that the server offers TLS and that its certificate names the host "
            '(--connect tries it). Only if it cannot: add "ssl": false.',
        )


def superuser_findings(secret: Secret, credential: Credential | None) -> Iterator[Finding]:
    """Findings about the superuser secret that it names."""
    superuser = secret.superuser
    if superuser is None or credential is None:
        return
    if isinstance(superuser.credential, RekeyError):
        yield _unreadable(f"The superuser secret {superuser.arn}", superuser.credential)
    if not (superuser.tagged or superuser.listed):
        yield stop(
            f"SecretAccessDenied: the superuser secret {superuser.arn} does not carry the tag "
            "rekey:superuser = true, and the parameter SuperuserSecretArns does not list it.",
            commands.tag_superuser(superuser.arn),
        )
    yield from _superuser_match(secret, superuser, credential)


def _unreadable(what: str, error: RekeyError) -> Finding:
    """Somebody who may not look is not told what a function's role may or may not do."""
    if isinstance(error, SecretAccessDenied):
        return stop(
            f"{what} could not be looked at with these credentials, so nobody can tell.",
            "The rights that this report needs stand in docs/migrate-from-aws-templates.md.",
        )
    return failure(f"{what}: ", error)


def _superuser_match(
    secret: Secret, superuser: Superuser, credential: Credential
) -> Iterator[Finding]:
    engine = engine_of(credential)
    if engine is None or not isinstance(superuser.credential, Credential):
        return
    try:
        check_superuser(superuser.credential, credential, engine, secret_arn=secret.metadata.arn)
    except RekeyError as error:
        yield failure("", error)
