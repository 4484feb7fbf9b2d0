"""The rotation core, step by step, against a real server."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pg8000.native import literal

from rekey import errors
from rekey.credential import Credential
from rekey.model import Deadline, Label, Outcome, SecretVersion, Step
from rekey.ports import Connection, Engine
from tests.database import Server, new_password
from tests.secret_store import SecretStoreInMemory
from tests.world import ARN, SUPERUSER_ARN, World, new_token


@pytest.fixture(params=[False, True], ids=["single-user", "alternating-users"])
def world(request: pytest.FixtureRequest, server: Server) -> World:
    return World(server, alternating=request.param)


@pytest.fixture
def single(server: Server) -> World:
    return World(server)


@pytest.fixture
def alternating(server: Server) -> World:
    return World(server, alternating=True)


def logins(world: World) -> tuple[int, int]:
    """How many logins the server has let in and refused since it started."""
    log = world.server.own.log.read_text()
    return log.count("connection authorized: "), log.count("password authentication failed")


def test_three_rotations_in_a_row_end_with_a_current_that_logs_in(world: World) -> None:
    seen = {world.secret.values["v1"]}
    for _ in range(3):
        before = world.secret.holder(Label.CURRENT)
        token = world.rotate()
        assert world.settled()
        assert world.secret.holder(Label.CURRENT) == token
        assert world.secret.holder(Label.PREVIOUS) == before
        assert world.logs_in(Label.PREVIOUS) is world.alternating
        seen.add(world.secret.values[token])
    assert len(seen) == 4


def test_alternating_users_take_turns_and_unknown_keys_stay(alternating: World) -> None:
    document = json.loads(alternating.secret.values["v1"] or "")
    alternating.secret.values["v1"] = json.dumps({**document, "owner": "team"})
    names = []
    for _ in range(3):
        value = json.loads(alternating.secret.values[alternating.rotate()] or "")
        assert value["owner"] == "team"
        names.append(value["username"])
    base, clone = alternating.server.base, alternating.server.clone
    assert names == [clone, base, clone]


@pytest.mark.parametrize("rotations_before", [0, 1])
def test_a_rotation_makes_few_calls_and_logins_and_none_that_fails(
    world: World, rotations_before: int
) -> None:
    for _ in range(rotations_before):
        world.rotate()
    world.store.calls.clear()
    let_in, refused = logins(world)
    world.rotate()
    superuser = ["GetSecretValue"] if world.alternating else []
    assert world.store.calls == [
        *["DescribeSecret", "GetSecretValue", "PutSecretValue"],
        *["GetSecretValue", "GetSecretValue", *superuser],
        "GetSecretValue",
        *["DescribeSecret", "UpdateSecretVersionStage"],
    ]
    after_let_in, after_refused = logins(world)
    assert after_let_in - let_in == (3 if world.alternating else 2)
    assert after_refused == refused


ATTEMPTS = st.lists(
    st.tuples(st.integers(1, len(Step)), st.lists(st.integers(1, 2), min_size=4, max_size=4)),
    min_size=1,
    max_size=4,
)
"""How many steps each attempt gets to, and how often each of them runs."""


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(ATTEMPTS)
def test_attempts_cut_off_anywhere_and_steps_run_twice_lock_nobody_out(
    world: World, attempts: list[tuple[int, list[int]]]
) -> None:
    """Secrets Manager repeats a whole rotation, from createSecret, after any step that failed."""
    token = world.start()
    for length, times in attempts:
        for step, repeated in list(zip(Step, times, strict=True))[:length]:
            for _ in range(repeated):
                world.step(step, token)
                current = world.logs_in(Label.CURRENT)
                assert current or (not world.alternating and world.logs_in(Label.PENDING))
    for step in Step:
        world.step(step, token)
    world.store.end_rotation(ARN)
    assert world.settled()
    assert world.secret.holder(Label.CURRENT) == token


@pytest.mark.parametrize("step", list(Step))
def test_a_step_repeated_after_the_end_changes_nothing(world: World, step: Step) -> None:
    token = world.rotate()
    before = (dict(world.secret.values), str(world.secret.labels))
    for _ in range(2):
        assert world.step(step, token).outcome is Outcome.NOTHING_TO_DO
    assert (dict(world.secret.values), str(world.secret.labels)) == before
    assert world.settled()


@pytest.mark.parametrize("last", [Step.CREATE, Step.SET, Step.TEST])
def test_an_abandoned_rotation_goes_on_with_its_password_under_the_next_token(
    world: World, last: Step
) -> None:
    """RotationAbandoned takes AWSPENDING away, and so does an operator who starts anew."""
    abandoned = world.start()
    for step in list(Step)[: list(Step).index(last) + 1]:
        world.step(step, abandoned)
    world.store.end_rotation(ARN)
    assert world.logs_in(Label.CURRENT) or world.logs_in(Label.INTENT)
    meant = json.loads(world.secret.values[abandoned] or "")["password"]
    token = world.rotate()
    assert json.loads(world.secret.values[token] or "")["password"] == meant
    assert world.settled()


def changed(world: World, **keys: str) -> str:
    """AWSCURRENT's value with some keys changed."""
    current = world.secret.values[world.secret.holder(Label.CURRENT) or ""] or ""
    return json.dumps({**json.loads(current), **keys})


@pytest.mark.parametrize("keys", [{"host": "localhost"}, {"masterarn": SUPERUSER_ARN}])
def test_an_edit_after_an_interruption_never_costs_the_only_live_password(
    single: World, keys: dict[str, str]
) -> None:
    """The server has the interrupted password, and the edited secret cannot go on with it."""
    interrupted = single.start()
    for step in (Step.CREATE, Step.SET):
        single.step(step, interrupted)
    single.secret.put_by_hand(changed(single, **keys))
    for _ in range(3):
        token = single.start()
        with pytest.raises(errors.InterruptedRotation, match=interrupted):
            single.step(Step.CREATE, token)
        single.store.end_rotation(ARN)
        assert single.logs_in(Label.INTENT)


def test_an_edit_after_an_interruption_that_changed_nothing_is_rotated(single: World) -> None:
    single.step(Step.CREATE, single.start())
    single.secret.put_by_hand(changed(single, host="localhost"))
    single.rotate()
    assert single.settled()


def test_the_live_password_put_by_hand_after_an_interruption_is_rotated(single: World) -> None:
    interrupted = single.start()
    for step in (Step.CREATE, Step.SET):
        single.step(step, interrupted)
    meant = json.loads(single.secret.values[interrupted] or "")["password"]
    single.secret.put_by_hand(changed(single, password=meant))
    token = single.rotate()
    assert json.loads(single.secret.values[token] or "")["password"] != meant
    assert single.settled()


def test_a_password_that_was_superseded_by_hand_is_never_brought_back(single: World) -> None:
    """Its version has REKEY_INTENT and no other label, like one that was interrupted."""
    old = json.loads(single.secret.values[single.rotate()] or "")["password"]
    for _ in range(2):
        password = new_password()
        single.server.postgres.execute(
            f"ALTER ROLE {single.server.base} PASSWORD {literal(password)}"
        )
        single.secret.put_by_hand(changed(single, password=password))
    token = single.rotate()
    assert json.loads(single.secret.values[token] or "")["password"] != old
    assert single.settled()


def test_an_interrupted_value_that_cannot_be_seen_yet_is_waited_for(single: World) -> None:
    class LateIntent(SecretStoreInMemory):
        lag = 0

        def get_version(
            self, secret_id: str, version_id: str, label: Label | None = None
        ) -> SecretVersion | None:
            if label is Label.INTENT and self.lag:
                self.lag -= 1
                return None
            return super().get_version(secret_id, version_id, label)

    store = LateIntent()
    world = World(single.server, store=store)
    interrupted = world.start()
    for step in (Step.CREATE, Step.SET):
        world.step(step, interrupted)
    world.store.end_rotation(ARN)
    store.lag = 2
    token = world.rotate()
    assert world.secret.values[token] == world.secret.values[interrupted]
    assert world.settled()


def test_another_function_s_value_never_pushes_an_interrupted_password_out(single: World) -> None:
    interrupted = single.start()
    for step in (Step.CREATE, Step.SET):
        single.step(step, interrupted)
    single.store.end_rotation(ARN)
    token = single.start()
    foreign = SecretVersion(
        token, frozenset({Label.PENDING}), single.document(single.server.base, new_password())
    )
    single.store.put_version(ARN, foreign, rotation_token=None)
    with pytest.raises(errors.InterruptedRotation):
        single.step(Step.CREATE, token)
    assert single.logs_in(Label.INTENT)


def test_a_version_that_was_rejected_is_not_gone_on_with(world: World) -> None:
    rejected = world.start()
    world.step(Step.CREATE, rejected)
    world.secret.move(Label.REJECTED, rejected)
    for step in Step:
        with pytest.raises(errors.VersionRejected):
            world.step(step, rejected)
    world.store.end_rotation(ARN)
    token = world.rotate()
    assert world.secret.values[token] != world.secret.values[rejected]
    assert world.settled()


def test_a_value_under_the_token_is_kept_and_gets_our_labels(single: World) -> None:
    """AWS's template may have run createSecret just before the function was exchanged."""
    token = single.start()
    value = single.document(single.server.base, new_password())
    single.store.put_version(
        ARN, SecretVersion(token, frozenset({Label.PENDING}), value), rotation_token=None
    )
    with pytest.raises(errors.IntentMissing):
        single.step(Step.SET, token)
    for step in Step:
        single.step(step, token)
    assert single.secret.values[token] == value
    assert single.logs_in(Label.CURRENT)


def test_the_rotation_token_goes_along_with_the_value(single: World) -> None:
    tokens: list[str | None] = []

    class Recording(SecretStoreInMemory):
        def put_version(
            self, secret_id: str, version: SecretVersion, *, rotation_token: str | None
        ) -> bool:
            tokens.append(rotation_token)
            return super().put_version(secret_id, version, rotation_token=rotation_token)

    world = World(single.server, store=Recording())
    world.step(Step.CREATE, world.start(), rotation_token="r" * 40)
    assert tokens == ["r" * 40]


class Lagging(SecretStoreInMemory):
    """Answers the first reads of a pending value as if it had not been stored yet."""

    lag = 3

    def get_version(
        self, secret_id: str, version_id: str, label: Label | None = None
    ) -> SecretVersion | None:
        version = super().get_version(secret_id, version_id, label)
        if label is Label.PENDING and version is not None and self.lag:
            self.lag -= 1
            return None
        return version


def test_a_value_that_cannot_be_seen_yet_is_read_again(single: World) -> None:
    world = World(single.server, store=Lagging())
    world.rotate()
    assert world.settled()
    assert world.waited == [0.1, 0.2, 0.4]


def test_a_value_that_is_never_seen_is_not_readable_and_nothing_changes(single: World) -> None:
    store = Lagging()
    store.lag = 99
    world = World(single.server, store=store)
    token = world.start()
    world.step(Step.CREATE, token)
    with pytest.raises(errors.VersionNotReadable):
        world.step(Step.SET, token)
    assert world.logs_in(Label.CURRENT)


def disable(world: World, token: str) -> None:
    del token
    world.secret.rotation_enabled = False


def forget(world: World, token: str) -> None:
    del world.secret.labels[token]
    del world.secret.values[token]


def abandon(world: World, token: str) -> None:
    del token
    world.store.end_rotation(ARN)


@pytest.mark.parametrize(
    ("written", "spoil", "kind"),
    [
        (False, disable, errors.RotationDisabled),
        (True, disable, errors.RotationDisabled),
        (False, forget, errors.VersionUnknown),
        (True, forget, errors.VersionUnknown),
        (False, abandon, errors.VersionUnknown),  # DescribeSecret lists labelled versions only
        (True, abandon, errors.VersionNotPending),
    ],
)
def test_a_rotation_that_may_not_go_on_stops_in_every_step(
    world: World,
    written: bool,
    spoil: Callable[[World, str], None],
    kind: type[errors.RekeyError],
) -> None:
    token = world.start()
    if written:
        world.step(Step.CREATE, token)
    world.secret.labels.setdefault(token, set())
    spoil(world, token)
    checked = [Step.CREATE, Step.FINISH] if spoil is disable and written else list(Step)
    for step in checked:
        with pytest.raises(kind):
            world.step(step, token)
    assert world.logs_in(Label.CURRENT)


def test_finish_promotes_nothing_that_create_secret_did_not_write(world: World) -> None:
    token = world.start()
    with pytest.raises(errors.IntentMissing):
        world.step(Step.FINISH, token)
    assert world.secret.holder(Label.CURRENT) == "v1"


def test_a_promotion_that_lost_a_race_is_not_forced(world: World) -> None:
    class Raced(SecretStoreInMemory):
        def move_label(
            self, secret_id: str, label: Label, *, to: str | None, removed_from: str | None
        ) -> None:
            if label is Label.CURRENT:
                self.secrets[secret_id].values["v2"] = self.secrets[secret_id].values["v1"]
                self.secrets[secret_id].move(Label.CURRENT, "v2")
            super().move_label(secret_id, label, to=to, removed_from=removed_from)

    raced = World(world.server, alternating=world.alternating, store=Raced())
    token = raced.start()
    for step in (Step.CREATE, Step.SET, Step.TEST):
        raced.step(step, token)
    with pytest.raises(errors.LabelMoved):
        raced.step(Step.FINISH, token)
    assert raced.secret.holder(Label.CURRENT) == "v2"


@pytest.mark.parametrize("key", ["host", "port", "username"])
def test_a_rotation_whose_value_does_not_follow_the_current_one_is_given_up(
    world: World, key: str
) -> None:
    token = world.start()
    world.step(Step.CREATE, token)
    document = json.loads(world.secret.values[token] or "")
    document[key] = {"host": "other.example.com", "port": 5433, "username": "postgres"}[key]
    world.secret.values[token] = json.dumps(document)
    before = logins(world)
    with pytest.raises(errors.CredentialMismatch, match="given up"):
        world.step(Step.SET, token)
    assert logins(world) == before
    assert world.secret.holder(Label.PENDING) is None
    world.rotate()
    assert world.settled()


def test_a_current_version_that_is_read_late_is_read_again_and_gives_nothing_up(
    alternating: World,
) -> None:
    """Reads are eventually consistent; the version before would still log in."""
    late = {"v1": 0}

    class Late(SecretStoreInMemory):
        def get_labelled(self, secret_id: str, label: Label) -> SecretVersion:
            if late["v1"] and secret_id == ARN:
                late["v1"] -= 1
                return SecretVersion("v1", frozenset({label}), self.secrets[ARN].values["v1"] or "")
            return super().get_labelled(secret_id, label)

    world = World(alternating.server, alternating=True, store=Late())
    world.rotate()
    token = world.start()
    for step in (Step.CREATE, Step.SET):
        late["v1"] = 1
        with pytest.raises(errors.LabelMoved):
            world.step(step, token)
        world.step(step, token)
    for step in (Step.TEST, Step.FINISH):
        world.step(step, token)
    world.store.end_rotation(ARN)
    assert world.settled()


def test_a_current_that_does_not_log_in_never_reaches_the_superuser(alternating: World) -> None:
    """Whoever may only write the secret must not have the superuser work on another account."""
    victim, password = f"{alternating.server.base}_victim", new_password()
    alternating.server.postgres.execute(f"CREATE ROLE {victim} LOGIN PASSWORD {literal(password)}")
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
    alternating.server.postgres.execute(f"DROP ROLE {victim}")


@pytest.mark.parametrize("attempts", [3, 6])
def test_a_lock_out_policy_of_three_survives_every_retry(world: World, attempts: int) -> None:
    """Somebody changed the password behind the secret's back."""
    world.server.postgres.execute(
        f"ALTER ROLE {world.server.base} PASSWORD {literal(new_password())}"
    )
    token = world.start()
    refused = logins(world)[1]
    for _ in range(attempts):
        world.step(Step.CREATE, token)
        with pytest.raises((errors.CredentialsRejected, errors.TooManyRejectedLogins)):
            world.step(Step.SET, token)
    assert logins(world)[1] - refused == 2
    with pytest.raises(errors.TooManyRejectedLogins, match="RemoveFromVersionId"):
        world.step(Step.SET, token)


def test_a_new_rotation_may_log_in_again_once_the_password_is_right(world: World) -> None:
    world.server.postgres.execute(
        f"ALTER ROLE {world.server.base} PASSWORD {literal(new_password())}"
    )
    token = world.start()
    for _ in range(3):
        world.step(Step.CREATE, token)
        with pytest.raises(errors.RekeyError):
            world.step(Step.SET, token)
    world.store.end_rotation(ARN)
    world.server.postgres.execute(
        f"ALTER ROLE {world.server.base} PASSWORD {literal(world.server.password)}"
    )
    world.rotate()
    assert world.settled()


def test_a_repeated_set_after_a_crash_costs_one_refused_login_at_most(single: World) -> None:
    token = single.start()
    single.step(Step.CREATE, token)
    single.step(Step.SET, token)
    refused = logins(single)[1]
    for _ in range(4):
        assert single.step(Step.SET, token).outcome is Outcome.NOTHING_TO_DO
    assert logins(single)[1] - refused == 1


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


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"engine": "mysql"}, errors.UnsupportedEngine),
        ({"engine": None}, errors.InvalidSecretValue),
        ({"host": 7}, errors.InvalidSecretValue),
        ({"password": ""}, errors.InvalidSecretValue),
        ({"username": "ü" * 30}, errors.UserNameTooLong),
        ({"note": "é" * 32_700}, errors.InvalidSecretValue),
    ],
)
def test_a_secret_that_cannot_be_rotated_is_left_as_it_is(
    alternating: World, changes: dict[str, object], kind: type[errors.RekeyError]
) -> None:
    document = {**json.loads(alternating.secret.values["v1"] or ""), **changes}
    alternating.secret.values["v1"] = json.dumps(document, ensure_ascii=False)
    token = alternating.start()
    with pytest.raises(kind):
        alternating.step(Step.CREATE, token)
    assert alternating.secret.values[token] is None
    assert "PutSecretValue" not in alternating.store.calls


@pytest.mark.parametrize("value", ["no json", "[]", '"text"', "null"])
def test_a_value_that_is_no_object_is_left_as_it_is(single: World, value: str) -> None:
    single.secret.values["v1"] = value
    with pytest.raises(errors.InvalidSecretValue):
        single.step(Step.CREATE, single.start())
    assert "PutSecretValue" not in single.store.calls


def test_a_superuser_secret_that_does_not_exist_is_not_found(alternating: World) -> None:
    del alternating.store.secrets[SUPERUSER_ARN]
    token = alternating.start()
    alternating.step(Step.CREATE, token)
    with pytest.raises(errors.SecretNotFound):
        alternating.step(Step.SET, token)
    assert alternating.logs_in(Label.CURRENT)


@pytest.mark.parametrize("rotations_before", [0, 1])
@pytest.mark.parametrize("with_value", [False, True])
def test_a_test_rotation_tests_what_a_rotation_needs_and_changes_nothing(
    world: World,
    rotations_before: int,
    with_value: bool,
) -> None:
    for _ in range(rotations_before):
        world.rotate()
    current = world.secret.holder(Label.CURRENT) or ""
    token = world.start()
    if with_value:
        world.secret.values[token] = world.secret.values[current]
    before = (dict(world.secret.values), str(world.secret.labels))
    let_in, refused = logins(world)
    assert world.step(Step.TEST, token).outcome is Outcome.DONE
    assert logins(world) == (let_in + (2 if world.alternating else 1), refused)
    assert (dict(world.secret.values), str(world.secret.labels)) == before


def test_a_test_rotation_fails_where_a_rotation_would(alternating: World) -> None:
    alternating.store.secrets[SUPERUSER_ARN].values["v1"] = alternating.document(
        "postgres", new_password()
    )
    with pytest.raises(errors.SuperuserRejected):
        alternating.step(Step.TEST, alternating.start())


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

    def set_password(self, username: str, password: str) -> None:
        if self._username != "postgres":
            raise errors.MissingPrivilege("must be a member of rds_password")
        self._connection.set_password(username, password)


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


def test_a_rotation_while_the_server_is_down_leaves_the_current_credential(world: World) -> None:
    token = world.start()
    world.step(Step.CREATE, token)
    world.server.own.stop()
    try:
        with pytest.raises(errors.DatabaseUnreachable, match="refused"):
            world.step(Step.SET, token)
    finally:
        world.server.own.start()
    assert world.logs_in(Label.CURRENT)
    for step in Step:
        world.step(step, token)
    world.store.end_rotation(ARN)
    assert world.settled()


def test_a_token_of_nobody_is_unknown(world: World) -> None:
    with pytest.raises(errors.VersionUnknown):
        world.step(Step.SET, new_token())
