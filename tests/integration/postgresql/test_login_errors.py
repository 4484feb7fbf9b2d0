"""Each way in which a server cannot be used has a class and a text of its own."""

import ssl

import pytest

from local.certificates import Authority
from local.postgres import Postgres
from rekey import errors
from rekey.engines.postgresql import PostgresqlEngine
from rekey.engines.sealed import Sealed
from rekey.model import Deadline
from tests.database import new_password
from tests.postgres_database import PostgresServer


def test_a_password_that_scram_cannot_prepare_is_named_as_such(server: PostgresServer) -> None:
    with pytest.raises(errors.InvalidSecretValue, match="SASLprep"):
        server.connect(server.base, "bell \x07")


def test_a_wrong_password_is_rejected_credentials(server: PostgresServer) -> None:
    with pytest.raises(errors.CredentialsRejected, match="28P01"):
        server.connect(server.base, new_password())


def test_an_account_without_login_is_locked(server: PostgresServer) -> None:
    server.postgres.execute(f"ALTER ROLE {server.base} NOLOGIN")
    with pytest.raises(errors.AccountLocked):
        server.connect(server.base, server.password)


def test_an_account_whose_time_has_passed_is_told_apart_by_the_server_alone(
    server: PostgresServer,
) -> None:
    """PostgreSQL answers as for a wrong password; the text names both possibilities."""
    server.postgres.execute(f"ALTER ROLE {server.base} VALID UNTIL '2001-01-01'")
    with pytest.raises(errors.CredentialsRejected, match="expired"):
        server.connect(server.base, server.password)


def test_too_many_connections_are_told_as_such(server: PostgresServer) -> None:
    server.postgres.execute(f"ALTER ROLE {server.base} CONNECTION LIMIT 0")
    with pytest.raises(errors.TooManyConnections, match="53300"):
        server.connect(server.base, server.password)


def test_a_read_only_endpoint_is_told_as_such_and_may_still_be_tested() -> None:
    with Postgres() as standby:
        standby.become_standby(answers_queries=True)
        server = PostgresServer(standby, "postgres", standby.password)
        with server.superuser() as connection:
            connection.check_identity("postgres", "postgres")
            with pytest.raises(errors.ReadOnlyEndpoint, match="writer"):
                connection.set_password("postgres", new_password())
        with pytest.raises(errors.ReadOnlyEndpoint):
            server.provide("postgres", new_password())
        server.superuser().close()


def test_a_server_that_is_not_open_yet_is_unreachable_and_not_a_wrong_password() -> None:
    with Postgres() as starting:
        starting.become_standby(answers_queries=False)
        with pytest.raises(errors.DatabaseUnreachable, match="57P03"):
            PostgresServer(starting, "postgres", starting.password).superuser()


def test_a_missing_database_is_named(server: PostgresServer) -> None:
    with pytest.raises(errors.DatabaseMissing, match="no_such_database"):
        server.connect(server.base, server.password, dbname="no_such_database")


def test_a_certificate_of_an_unknown_authority_is_refused(server: PostgresServer) -> None:
    authority = Authority.create()
    context = ssl.create_default_context(cadata=authority.pem)
    engine = Sealed(PostgresqlEngine(lambda: context))
    with pytest.raises(errors.TlsFailed, match="CaBundleLayerArn"):
        engine.connect(server.credential(server.base, server.password), Deadline.after(20))


def test_an_engine_as_deployed_refuses_a_server_that_it_has_no_authority_for(
    server: PostgresServer,
) -> None:
    engine = Sealed(PostgresqlEngine())
    with pytest.raises(errors.TlsFailed):
        engine.connect(server.credential(server.base, server.password), Deadline.after(20))


def test_a_certificate_of_another_name_is_refused() -> None:
    authority = Authority.create()
    certificate = authority.issue(names=("db.example.com",))
    with Postgres(authority=authority, certificate=certificate) as other:
        server = PostgresServer(other, "postgres", other.password)
        with pytest.raises(errors.TlsFailed, match="certificate"):
            server.superuser()


def test_a_server_without_tls_is_refused_unless_the_secret_says_so(postgres: Postgres) -> None:
    with Postgres(settings={"ssl": "off"}, allow_plain=True) as plain:
        server = PostgresServer(plain, "postgres", plain.password)
        with pytest.raises(errors.TlsFailed, match="does not offer TLS"):
            server.superuser()
        server.superuser(ssl=False).close()
    assert postgres.port != plain.port


def test_a_server_that_hangs_is_unreachable_at_the_deadline(server: PostgresServer) -> None:
    server.own.pause()
    try:
        with pytest.raises(errors.DatabaseUnreachable, match="did not answer"):
            server.engine.connect(
                server.credential(server.base, server.password), Deadline.after(2)
            )
    finally:
        server.own.resume()


def test_a_statement_that_waits_for_a_lock_gives_up_and_changes_nothing(
    server: PostgresServer,
) -> None:
    with server.postgres.connect() as other:
        other.run("BEGIN")
        other.run(f"ALTER ROLE {server.base} CONNECTION LIMIT 5")
        with (
            server.connect(server.base, server.password) as connection,
            pytest.raises((errors.LockTimeout, errors.ConcurrentChange)),
        ):
            connection.set_password(server.base, new_password())
        other.run("ROLLBACK")
    server.connect(server.base, server.password).close()
