"""A group of secrets, some of which fail in different ways, for all that may be asked for.

REKEY_GROUP is the size of the group: 10 in `make test`, 100 in `make groups`.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from local.postgres import Postgres
from tests.conftest import Deployed
from tests.end_to_end.application import Application, retries
from tests.workflows.campaigns import Ended, campaign
from tests.workflows.runs import shortened
from tests.workflows.test_rotate import arns, attached, break_login

SIZE = int(os.environ.get("REKEY_GROUP", "10"))
AT_ONCE = 10


@pytest.fixture(autouse=True)
def _shortened(deployed: Deployed) -> Iterator[None]:
    with shortened(deployed, 0.01), retries(deployed, 2):
        yield


def drop_the_user(app: Application) -> None:
    app.postgres.execute(f"DROP ROLE {app.name}")


def weaken_the_superuser(app: Application) -> None:
    """It logs in and may change nothing: the rotation begins, and fails."""
    name, password = f"{app.name}_weak", app.new_password()
    app.postgres.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
    app.client.put_secret_value(
        SecretId=app.superuser_arn, SecretString=json.dumps(app.document(name, password))
    )


def write_nonsense(app: Application) -> None:
    app.client.put_secret_value(SecretId=app.arn, SecretString="no JSON")


TROUBLES: list[Callable[[Application], None]] = [
    break_login,
    drop_the_user,
    write_nonsense,
]


@pytest.fixture
def group(deployed: Deployed, postgres: Postgres) -> list[Application]:
    """The first has two users and a superuser; the others have one."""
    made = (Application(deployed, postgres, alternating=n == 0) for n in range(SIZE))
    return [attached(app) for app in made]


def trouble(group: list[Application]) -> list[Application]:
    """One of ten, or at least two, fail, each in the next way."""
    bad = group[:: max(2, len(group) // max(2, len(group) // 10))]
    weaken_the_superuser(bad[0])
    for number, app in enumerate(bad[1:]):
        TROUBLES[number % len(TROUBLES)](app)
    return bad


def became(ended: Ended, apps: list[Application]) -> Counter[str]:
    return Counter(ended.became(app.arn) for app in apps)


def sound(group: list[Application], bad: list[Application]) -> list[Application]:
    return [app for app in group if app not in bad]


def test_what_fails_does_not_keep_the_others_from_being_rotated(
    deployed: Deployed, group: list[Application]
) -> None:
    bad = trouble(group)
    good = sound(group, bad)
    ended = campaign(deployed, secretIds=arns(group), maxConcurrency=AT_ONCE, maxPerHost=AT_ONCE)
    assert not ended.stands
    assert became(ended, good) == {"rotated": len(good)}
    assert set(became(ended, bad)) <= {"refused", "rolledBack"}
    assert all(app.logs_in("AWSCURRENT") for app in good)
    # It was begun, given up, and undone: the password of before serves.
    assert bad[0].logs_in("AWSCURRENT")
    assert bad[0].value("AWSCURRENT")["password"] == bad[0].passwords[0]


def test_a_failure_brings_all_back_to_where_they_were(
    deployed: Deployed, group: list[Application]
) -> None:
    before = {app.arn: app.passwords[0] for app in group}
    bad = trouble(group)
    good = sound(group, bad)
    ended = campaign(
        deployed,
        secretIds=arns(group),
        maxConcurrency=AT_ONCE,
        maxPerHost=AT_ONCE,
        onFailure="rollBackAll",
    )
    assert set(became(ended, good)) <= {"rolledBack", "skipped"}
    for app in good:
        assert app.value("AWSCURRENT")["password"] == before[app.arn]
        assert app.logs_in("AWSCURRENT")


def test_a_failure_stops_what_has_not_begun_and_leaves_the_rest(
    deployed: Deployed, group: list[Application]
) -> None:
    bad = trouble(group)
    good = sound(group, bad)
    ended = campaign(deployed, secretIds=arns(group), maxConcurrency=1, onFailure="stop")
    told = became(ended, group)
    assert told["skipped"] >= len(group) - 2
    assert set(became(ended, good)) <= {"rotated", "skipped"}
    assert all(app.logs_in("AWSCURRENT") for app in good)


def test_compromised_passwords_go_wherever_that_is_possible(
    deployed: Deployed, group: list[Application]
) -> None:
    bad = trouble(group)
    good = sound(group, bad)
    ended = campaign(
        deployed,
        secretIds=arns(group),
        maxConcurrency=AT_ONCE,
        maxPerHost=AT_ONCE,
        compromised=True,
    )
    assert not ended.stands
    assert became(ended, good) == {"rotated": len(good)}
    for app in good:
        assert app.refusal(app.name, app.passwords[0]) is not None
        assert len(ended.of(app.arn)["works"]) == 1
    assert set(became(ended, bad)) <= {"refused", "failed"}
