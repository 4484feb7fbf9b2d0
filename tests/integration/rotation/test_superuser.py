"""Whom the superuser works for, and whom not."""

import json
from dataclasses import dataclass
from typing import Any, Self

import pytest
from pg8000.native import literal

from rekey import errors
from rekey.credential import Credential
from rekey.model import Deadline, Label, SecretVersion, Step
from rekey.ports import Connection, Engine
from tests.database import Server, new_password
from tests.integration.rotation.conftest import logins
from tests.secret_store import SecretStoreInMemory
from tests.world import ARN, SUPERUSER_ARN, World


def test_a_current_that_does_not_log_in_never_reaches_the_superuser(alternating: World) -> None:
    """Whoever may only write the secret must not have the superuser work on another account."""
    victim, password = f"{alternating.server.base}_victim", new_password()
    alternating.server.execute(f"CREATE ROLE {victim} LOGIN PASSWORD {literal(password)}")
    alternating.secret.values["v1"] = alternating.document(
        victim, new_password(), masterarn=SUPERUSER_ARN
    )
    token = alternating.start()
    alternating.step(Step.CREATE, token)
    alternating.store.calls.clear()
    with pytest.raises(errors.CredentialsRejected):
        alternating.step(Step.SET, token)
    assert alternating.store.calls.count("GetSecretValue") == 2  # pending and current
    assert alternating.server.logs_in(victim, password)
    alternating.server.execute(f"DROP ROLE {victim}")


def test_a_superuser_secret_that_is_rotating_is_read_once_more(alternating: World) -> None:
    right = alternating.store.secrets[SUPERUSER_ARN].values["v1"]
    wrong = alternating.document("postgres", new_password())

    class Rotating(SecretStoreInMemory):
        def get_labelled(self, secret_id: str, label: Label) -> SecretVersion:
            version = super().get_labelled(secret_id, label)
            if secret_id == SUPERUSER_ARN:
                self.secrets[secret_id].values["v1"] = right
            return version

    world = World(alternating.server, alternating=True, store=Rotating())
    world.store.secrets[SUPERUSER_ARN].values["v1"] = wrong
    world.rotate()
    assert world.settled()


def test_a_superuser_that_is_refused_is_named_as_such(alternating: World) -> None:
    alternating.store.secrets[SUPERUSER_ARN].values["v1"] = alternating.document(
        "postgres", new_password()
    )
    token = alternating.start()
    alternating.step(Step.CREATE, token)
    refused = logins(alternating)[1]
    for _ in range(4):
        with pytest.raises((errors.SuperuserRejected, errors.TooManyRejectedLogins)):
            alternating.step(Step.SET, token)
    assert logins(alternating)[1] - refused == 2


def test_refusals_of_the_superuser_do_not_count_against_the_application(
    alternating: World,
) -> None:
    superuser = alternating.store.secrets[SUPERUSER_ARN]
    right = superuser.values["v1"]
    superuser.values["v1"] = alternating.document("postgres", new_password())
    token = alternating.start()
    alternating.step(Step.CREATE, token)
    with pytest.raises(errors.SuperuserRejected):
        alternating.step(Step.SET, token)
    superuser.values["v1"] = right
    for step in (Step.SET, Step.TEST, Step.FINISH):
        alternating.step(step, token)
    alternating.store.end_rotation(ARN)
    assert alternating.settled()


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"host": "other.example.com"}, errors.SuperuserMismatch),
        ({"port": 1}, errors.SuperuserMismatch),
        ({"engine": "mysql"}, errors.UnsupportedEngine),
        ({"password": None}, errors.InvalidSecretValue),
    ],
)
def test_a_superuser_of_another_server_is_refused(
    alternating: World, changes: dict[str, object], kind: type[errors.RekeyError]
) -> None:
    superuser = alternating.store.secrets[SUPERUSER_ARN]
    superuser.values["v1"] = json.dumps({**json.loads(superuser.values["v1"] or ""), **changes})
    token = alternating.start()
    alternating.step(Step.CREATE, token)
    with pytest.raises(kind):
        alternating.step(Step.SET, token)


def test_a_secret_that_names_itself_as_superuser_is_refused(alternating: World) -> None:
    alternating.secret.values["v1"] = alternating.document(
        alternating.server.base, alternating.server.password, masterarn=ARN
    )
    token = alternating.start()
    alternating.step(Step.CREATE, token)
    with pytest.raises(errors.SuperuserMismatch):
        alternating.step(Step.SET, token)


def test_a_superuser_that_is_the_peer_itself_is_refused(server: Server) -> None:
    """Whoever has an account postgres_clone must not get the password of postgres."""
    world = World(server, alternating=True)
    superuser = json.loads(world.store.secrets[SUPERUSER_ARN].values["v1"] or "")
    world.store.secrets[SUPERUSER_ARN].values["v1"] = json.dumps(
        {**superuser, "username": server.clone}
    )
    token = world.start()
    world.step(Step.CREATE, token)
    with pytest.raises(errors.SuperuserMismatch):
        world.step(Step.SET, token)


def test_a_superuser_secret_that_does_not_exist_is_not_found(alternating: World) -> None:
    del alternating.store.secrets[SUPERUSER_ARN]
    token = alternating.start()
    alternating.step(Step.CREATE, token)
    with pytest.raises(errors.SecretNotFound):
        alternating.step(Step.SET, token)
    assert alternating.logs_in(Label.CURRENT)


def test_the_tag_keeps_a_secret_with_a_superuser_on_one_user(alternating: World) -> None:
    alternating.secret.tags["rekey:strategy"] = "single-user"
    alternating.rotate()
    credential = alternating.credential(Label.CURRENT)
    assert credential is not None
    assert credential.username == alternating.server.base
    assert alternating.settled()


class Restricted:
    """A connection of a server that lets only administrators change passwords.

    Amazon RDS does so with rds.restrict_password_commands; no other PostgreSQL has that setting.
    """

    def __init__(self, connection: Connection, username: str) -> None:
        self._connection = connection
        self._username = username

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def set_password(self, username: str, password: str, *, all_hosts: bool = False) -> None:
        if self._username != "postgres":
            raise errors.MissingPrivilege("must be a member of rds_password")
        self._connection.set_password(username, password, all_hosts=all_hosts)


@dataclass
class RestrictedWorld(World):
    @property
    def engine(self) -> Engine:
        engine = super().engine
        connect = engine.connect

        def restricted(credential: Credential, deadline: Deadline) -> Any:
            return Restricted(connect(credential, deadline), credential.username)

        vars(engine)["connect"] = restricted
        return engine


def test_where_users_may_not_change_their_password_the_superuser_does(server: Server) -> None:
    world = RestrictedWorld(server, alternating=True)
    world.secret.tags["rekey:strategy"] = "single-user"
    world.rotate()
    assert world.settled()
    credential = world.credential(Label.CURRENT)
    assert credential is not None
    assert credential.username == server.base


def test_where_users_may_not_change_their_password_and_no_superuser_is_named_it_says_so(
    server: Server,
) -> None:
    world = RestrictedWorld(server)
    token = world.start()
    world.step(Step.CREATE, token)
    with pytest.raises(errors.MissingPrivilege, match="rds_password"):
        world.step(Step.SET, token)
    assert world.logs_in(Label.CURRENT)
