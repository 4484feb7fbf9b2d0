"""Why a rotation fails, cause by cause on a real server, and what the deployed stack makes of it.

Each test names the rows of docs/recovery.md that it comes to. After each, somebody logs in.
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Iterator

import pytest
from pg8000.native import literal

from local.postgres import Postgres
from rekey.engines.postgresql.verifier import scram_sha_256
from rekey.model import Happened
from rekey.recovery import rules
from tests.conftest import Deployed
from tests.end_to_end.application import Application, retries, wait_for
from tests.faults.proxy import Cut, Proxy
from tests.inbox import Inbox
from tests.workflows.recoveries import (
    begin,
    begun,
    change_behind_its_back,
    comes_to,
    connections,
    cut_off,
    end,
    holder,
    kill_function,
    rotated,
    said,
    send_failure,
    start,
    time_limit,
    told_in_histories,
    user,
)
from tests.workflows.runs import shortened

SCALE = 1 / 100
RECOVERED = ("SUCCEEDED", "Recovered")
NEEDS_PERSON = ("SUCCEEDED", "NeedsPerson")
NOTHING_TO_DO = ("SUCCEEDED", "NothingToDo")
WAITS = "WaitToLookAgain"
RETRIES = 1000


@pytest.fixture(autouse=True)
def _shortened(deployed: Deployed) -> Iterator[None]:
    with shortened(deployed, SCALE), retries(deployed, 1):
        yield


@pytest.fixture(scope="module")
def own(postgres: Postgres) -> Iterator[Postgres]:
    """A server that a test may stop."""
    with Postgres(authority=postgres.authority) as server:
        yield server


@pytest.fixture
def on_own(deployed: Deployed, own: Postgres) -> Application:
    return rotated(Application(deployed, own))


@pytest.fixture
def proxy(postgres: Postgres) -> Iterator[Proxy]:
    with Proxy((postgres.host, postgres.port)) as found:
        yield found


@pytest.fixture
def single(deployed: Deployed, postgres: Postgres, proxy: Proxy) -> Application:
    return Application(deployed, postgres, keys={"port": proxy.port})


@pytest.fixture
def of_two(deployed: Deployed, postgres: Postgres, proxy: Proxy) -> Application:
    return Application(deployed, postgres, alternating=True, keys={"port": proxy.port})


def killed_before_the_test(app: Application, proxy: Proxy, logins: int) -> None:
    """Rotate; after so many logins, which setSecret makes, the function is really killed."""
    proxy.arm(Cut.SILENT_FROM_THE_START, logins)
    app.rotate()
    wait_for(lambda: proxy.fired, "the login of testSecret")
    kill_function(app.deployed)


@pytest.mark.reaches("The pending version logs in with its rights, and AWSCURRENT does not.")
def test_a_function_that_is_killed_between_set_and_test_is_finished_for_and_counted(
    single: Application, proxy: Proxy, told: Inbox
) -> None:
    killed_before_the_test(single, proxy, 1)
    assert end(single) == RECOVERED
    assert single.logs_in("AWSCURRENT")
    (finding,) = said(single, told, 1)
    assert finding["kind"] == "recovered"
    assert finding["done"] == ["The rotation was finished with the new password."]
    assert "The pending version logs in" in finding["what"]
    assert metric(single.deployed, "Recoveries", action="rollForward", outcome="recovered") == 1
    assert 0 <= metric(single.deployed, "TimeToRecover", action="rollForward") < 60


def metric(deployed: Deployed, name: str, **dimensions: str) -> float:
    """The last value, once there is one."""
    client = deployed.account.client("cloudwatch")

    def found() -> list[float] | None:
        answer = client.get_metric_statistics(
            Namespace="Rekey",
            MetricName=name,
            Dimensions=[
                {"Name": key, "Value": value}
                for key, value in {"service": "dispatch", **dimensions}.items()
            ],
            StartTime="2020-01-01T00:00:00Z",
            EndTime="2099-01-01T00:00:00Z",
            Period=60,
            Statistics=["Maximum"],
        )
        return [point["Maximum"] for point in answer["Datapoints"]] or None

    return max(wait_for(found, f"the metric {name}"))


@pytest.mark.reaches(
    "AWSCURRENT and AWSPENDING log in with their rights: the rotation can be finished."
)
def test_and_so_is_one_of_two_users_while_the_other_one_serves(
    of_two: Application, proxy: Proxy
) -> None:
    killed_before_the_test(of_two, proxy, 2)
    assert of_two.logs_in("AWSCURRENT")
    assert end(of_two) == RECOVERED
    assert user(of_two).endswith("_clone")
    assert of_two.logs_in("AWSCURRENT")


@pytest.mark.reaches(
    "AWSCURRENT logs in, and whether the other user has all its rights yet is not certain."
)
def test_a_set_secret_whose_end_nobody_saw_is_cleared_and_rotated_again(
    alternating: Application, told: Inbox
) -> None:
    token, since = cut_off(alternating), alternating.next_record()
    with shortened(alternating.deployed, SCALE / 10):
        send_failure(alternating, token, Happened.SET_FAILED)
        assert end(alternating) == ("SUCCEEDED", "RotatesAgain")
    (finding,) = said(alternating, told, 1)
    assert finding["done"][0] == "AWSPENDING was taken off the version whose rotation failed."
    assert alternating.end(since)["eventName"] == "RotationSucceeded"
    assert alternating.logs_in("AWSCURRENT")


@pytest.mark.reaches("No rotation function is set for the secret.")
def test_a_secret_that_nobody_rotates_is_said_to_be_so(bare: Application, told: Inbox) -> None:
    begin(bare)
    assert end(bare) == NEEDS_PERSON
    (finding,) = said(bare, told, 1)
    assert finding["nextSteps"] == ["Name one of Rekey's functions in RotateSecret."]
    assert bare.logs_in("AWSCURRENT")


@pytest.mark.reaches("Another rotation has begun since: it has its own end.")
def test_an_event_that_comes_after_the_next_rotation_began_touches_nothing(
    app: Application,
) -> None:
    later = begun(app)
    send_failure(app, str(uuid.uuid4()), Happened.SET_FAILED)
    assert end(app) == NOTHING_TO_DO
    assert '"Tell"' not in told_in_histories(app)
    assert holder(app, "AWSPENDING") == later
    assert app.logs_in("AWSCURRENT")


@pytest.mark.reaches("The step that failed changes nothing on the server.")
def test_a_rotation_that_cannot_even_begin_needs_a_person(app: Application, told: Inbox) -> None:
    strategy = {"Key": "rekey:strategy", "Value": "dual-password"}
    app.client.tag_resource(SecretId=app.arn, Tags=[strategy])
    assert app.rotate_and_wait()["eventName"] == "RotationFailed"
    assert end(app) == NEEDS_PERSON
    (finding,) = said(app, told, 1)
    assert finding["nextSteps"] == [rules.LOOK_AT_LOG]
    assert app.logs_in("AWSCURRENT")


@pytest.mark.reaches(
    "AWSCURRENT gets no answer from the server.",
    "The pending version logs in with its rights, and AWSCURRENT does not.",
)
def test_a_server_that_hangs_is_waited_for(on_own: Application, own: Postgres) -> None:
    token = cut_off(on_own)
    with time_limit(on_own.deployed, 5):
        own.pause()
        try:
            send_failure(on_own, token, Happened.TEST_FAILED)
            comes_to(on_own, WAITS)
        finally:
            own.resume()
    assert end(on_own) == RECOVERED
    assert holder(on_own, "AWSCURRENT") == token
    assert on_own.logs_in("AWSCURRENT")


@pytest.mark.reaches("AWSCURRENT still gets no answer from the server.")
def test_a_server_that_stays_away_needs_a_person_who_has_it_started(
    on_own: Application, own: Postgres, told: Inbox
) -> None:
    token = cut_off(on_own)
    own.stop()
    try:
        with shortened(on_own.deployed, SCALE / 100):
            send_failure(on_own, token, Happened.TEST_FAILED)
            assert end(on_own) == NEEDS_PERSON
    finally:
        own.start()
    (finding,) = said(on_own, told, 1)
    assert finding["nextSteps"] == [rules.CHECK_SERVER]
    start(on_own)
    assert holder(on_own, "AWSCURRENT") == token
    assert on_own.logs_in("AWSCURRENT")


@pytest.mark.reaches("AWSCURRENT logs in, and AWSPENDING gets no answer from the server.")
def test_a_new_user_that_gets_no_connection_is_waited_for(alternating: Application) -> None:
    token = cut_off(alternating)
    with connections(alternating, user(alternating, "AWSPENDING"), 0):
        send_failure(alternating, token, Happened.TEST_FAILED)
        comes_to(alternating, WAITS)
    assert end(alternating) == RECOVERED
    assert holder(alternating, "AWSCURRENT") == token
    assert alternating.logs_in("AWSCURRENT")


@pytest.mark.reaches(
    "AWSCURRENT does not serve, and the pending version gets no answer from the server."
)
def test_and_also_if_it_is_the_only_one_left(alternating: Application) -> None:
    token = cut_off(alternating)
    change_behind_its_back(alternating)
    with connections(alternating, user(alternating, "AWSPENDING"), 0):
        send_failure(alternating, token, Happened.TEST_FAILED)
        comes_to(alternating, WAITS)
    assert end(alternating) == RECOVERED
    assert holder(alternating, "AWSCURRENT") == token
    assert alternating.logs_in("AWSCURRENT")


@pytest.mark.reaches(
    "AWSCURRENT logs in without its rights, and no pending version has them.",
)
def test_a_right_that_was_revoked_is_given_back_by_a_person(
    alternating: Application, told: Inbox
) -> None:
    base, clone = alternating.name, user(alternating)
    alternating.postgres.execute(f"REVOKE {base} FROM {clone}")
    assert alternating.rotate_and_wait()["eventName"] == "RotationFailed"
    assert end(alternating) == NEEDS_PERSON
    (finding,) = said(alternating, told, 1)
    assert "PrivilegesDiffer" in finding["what"]
    assert finding["nextSteps"] == [rules.CHECK_RIGHTS]
    assert alternating.logs_in("AWSCURRENT")


@pytest.mark.reaches(
    "AWSCURRENT and the pending version do not serve, and AWSPREVIOUS logs in with its rights."
)
@pytest.mark.parametrize("cause", ["changed", "dropped"])
def test_the_former_user_serves_again_however_often_secrets_manager_tries_meanwhile(
    alternating: Application, cause: str
) -> None:
    former = holder(alternating, "AWSPREVIOUS")
    if cause == "changed":
        change_behind_its_back(alternating)
    else:
        alternating.server.drop_users(user(alternating))
    with retries(alternating.deployed, RETRIES):
        token = alternating.rotate()
        wait_for(lambda: "REKEY_REFUSED_1" in str(alternating.labels()), "a refused login")
        send_failure(alternating, token, Happened.SET_FAILED)
        assert end(alternating) == RECOVERED
        assert alternating.rotating()
    wait_for(lambda: not alternating.rotating(), "the service to give up")
    assert (holder(alternating, "AWSCURRENT"), holder(alternating, "AWSPENDING")) == (former, "")
    assert alternating.logs_in("AWSCURRENT")


@pytest.mark.reaches(
    "Neither AWSCURRENT nor the pending version serves, and AWSPREVIOUS gets no answer."
)
def test_a_former_user_that_gets_no_connection_is_waited_for(alternating: Application) -> None:
    former, peer = holder(alternating, "AWSPREVIOUS"), user(alternating, "AWSPREVIOUS")
    change_behind_its_back(alternating)
    with connections(alternating, peer, 0):
        assert alternating.rotate_and_wait()["eventName"] == "RotationFailed"
        comes_to(alternating, WAITS)
    assert end(alternating) == RECOVERED
    assert holder(alternating, "AWSCURRENT") == former
    assert alternating.logs_in("AWSCURRENT")


@pytest.mark.reaches(
    "No version serves, and the superuser, who may restore it, gets no answer.",
    "No version serves, and the superuser's secret allows to restore this user's password.",
)
def test_a_superuser_that_may_restore_is_waited_for_and_restores(
    app: Application, told: Inbox
) -> None:
    admin = superuser_of(app)
    change_behind_its_back(app)
    with connections(app, admin, 0):
        send_failure(app, str(uuid.uuid4()), Happened.SET_FAILED)
        comes_to(app, WAITS)
    assert end(app) == RECOVERED
    assert app.logs_in("AWSCURRENT")
    (finding,) = said(app, told, 1)
    assert finding["done"][0] == "The superuser gave the user the password in AWSCURRENT."


def superuser_of(app: Application) -> str:
    """Give the secret a superuser whose connections can be limited, and who may restore it."""
    admin, password = f"admin_{secrets.token_hex(4)}", app.new_password()
    verifier = literal(scram_sha_256(password))
    app.postgres.execute(
        f"CREATE ROLE {admin} LOGIN CREATEROLE PASSWORD {verifier}",
        f"GRANT {app.name} TO {admin} WITH ADMIN OPTION",
    )
    name = app.client.describe_secret(SecretId=app.arn)["Name"]
    tags = {"rekey:superuser": "true", "rekey:may-restore": f"{app.name}@{name}"}
    app.superuser_arn = app.create("superuser", app.document(admin, password), tags)
    # Not the strategy that naming a superuser chooses: AWSPREVIOUS is the same user.
    strategy = {"Key": "rekey:strategy", "Value": "single-user"}
    app.client.tag_resource(SecretId=app.arn, Tags=[strategy])
    value = app.value("AWSCURRENT") | {"masterarn": app.superuser_arn}
    app.client.put_secret_value(SecretId=app.arn, SecretString=json.dumps(value))
    return admin


@pytest.mark.reaches(
    "The server has refused this rotation twice, and a third time might lock the user."
)
def test_a_server_refuses_two_logins_and_gets_no_third_one(
    app: Application, postgres: Postgres, told: Inbox
) -> None:
    live = change_behind_its_back(app)
    assert app.rotate_and_wait()["eventName"] == "RotationFailed"
    assert end(app) == NEEDS_PERSON
    (finding,) = said(app, told, 1)
    assert finding["nextSteps"] == [rules.PERSON]
    refused = f'password authentication failed for user "{app.name}"'
    assert postgres.log.read_text().count(refused) == 2
    value = app.value("AWSCURRENT") | {"password": live}
    app.client.put_secret_value(SecretId=app.arn, SecretString=json.dumps(value))
    assert app.logs_in("AWSCURRENT")


@pytest.mark.reaches("AWSCURRENT cannot be used, and no other version serves.")
def test_an_account_that_was_locked_is_unlocked_by_a_person(app: Application, told: Inbox) -> None:
    app.postgres.execute(f"ALTER ROLE {app.name} NOLOGIN")
    assert app.rotate_and_wait()["eventName"] == "RotationFailed"
    assert end(app) == NEEDS_PERSON
    (finding,) = said(app, told, 1)
    assert "AccountLocked" in finding["what"]
    assert finding["nextSteps"] == [rules.MEND]
    app.postgres.execute(f"ALTER ROLE {app.name} LOGIN")
    start(app)
    assert end(app, 2) == RECOVERED
    assert app.logs_in("AWSCURRENT")


@pytest.mark.reaches("There is no AWSCURRENT.")
def test_a_secret_that_never_got_a_value_needs_a_person(bare: Application, told: Inbox) -> None:
    bare.arn = bare.client.create_secret(Name=f"empty-{secrets.token_hex(6)}")["ARN"]
    bare.rotate(RotateImmediately=False)
    begin(bare)
    assert end(bare) == NEEDS_PERSON
    (finding,) = said(bare, told, 1)
    assert finding["nextSteps"] == ["Store a value, or move AWSCURRENT to a version that logs in."]


@pytest.mark.parametrize("kind", ["app", "alternating"])
def test_whoever_may_only_write_a_secret_gets_nobody_else_s_account(
    request: pytest.FixtureRequest, kind: str
) -> None:
    """By rotation, by its recovery, or by a roll back: even of a user that may be restored."""
    app: Application = request.getfixturevalue(kind)
    victim, theirs, mine = f"victim_{secrets.token_hex(4)}", app.new_password(), app.new_password()
    app.postgres.execute(f"CREATE ROLE {victim} LOGIN PASSWORD {literal(scram_sha_256(theirs))}")
    if app.superuser_arn:
        name = app.client.describe_secret(SecretId=app.arn)["Name"]
        may = {"Key": "rekey:may-restore", "Value": f"{app.name}@{name} {victim}@billing"}
        app.client.tag_resource(SecretId=app.superuser_arn, Tags=[may])
    value = app.value("AWSCURRENT") | {"username": victim, "password": mine}
    for _ in range(2):
        app.client.put_secret_value(SecretId=app.arn, SecretString=json.dumps(value))
    assert app.rotate_and_wait()["eventName"] == "RotationFailed"
    assert end(app) == NEEDS_PERSON
    start(app, action="rollBack")
    assert end(app, 2)[0] == "FAILED"
    assert app.server.logs_in(victim, theirs)
    assert not app.server.logs_in(victim, mine)
