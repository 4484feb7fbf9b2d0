"""A group of secrets, some of which fail in different ways, for all that may be asked for.

REKEY_GROUP is the size of the group: 10 in `make test`, with the first five troubles, and 100 in
`make groups`, with all ten. Each test prints what became of the group.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.postgres import Postgres
from rekey.model import Strategy
from tests.conftest import Deployed
from tests.end_to_end.application import Application, retries, wait_for
from tests.end_to_end.mysql_application import MysqlApplication
from tests.workflows.campaigns import RULES, Ended, end, start
from tests.workflows.runs import shortened
from tests.workflows.troubles import TROUBLES, Trouble

SIZE = int(os.environ.get("REKEY_GROUP", "10"))
STEP = max(2, SIZE // len(TROUBLES))
AT_ONCE = 10
PATIENCE = 60.0 + 15 * SIZE


@pytest.fixture(autouse=True)
def _shortened(deployed: Deployed) -> Iterator[None]:
    with shortened(deployed, 0.01), retries(deployed, 2):
        yield


@dataclass
class Group:
    """Applications, of which every so many-th fails; ``first`` holds each one's first password."""

    deployed: Deployed
    good: list[Any] = field(default_factory=list)
    bad: list[tuple[Any, Trouble]] = field(default_factory=list)

    @property
    def everyone(self) -> list[Any]:
        """Those that fail are spread among the others, and the first is one of them."""
        others = iter(self.good)
        troubled = iter(app for app, _ in self.bad)
        return [next(troubled if n % STEP == 0 else others) for n in range(SIZE)]

    def rotated(self, capsys: pytest.CaptureFixture[str], **settings: Any) -> Ended:
        """Rotate all as one, and say what became of them."""
        begun, arns = time.monotonic(), [app.arn for app in self.everyone]
        given = {"maxConcurrency": AT_ONCE, "maxPerHost": AT_ONCE, **settings}
        ended = end(self.deployed, start(self.deployed, secretIds=arns, **given), PATIENCE)
        took = time.monotonic() - begun
        asked = ", ".join(
            f"{k}={settings[k]}" for k in ("onFailure", "compromised") if k in settings
        )
        with capsys.disabled():
            print(
                f"\n  {asked}: {SIZE} secrets, {told(ended.summary['secrets'])}; {took:.0f} s",
                end="",
            )
        return ended


def told(secrets: list[dict[str, Any]]) -> str:
    """How many became what, and over which errors."""
    became = Counter(secret["became"] for secret in secrets)
    errors = Counter(secret["error"] for secret in secrets if "error" in secret)
    counts, names = (
        ", ".join(f"{number} {what}" for what, number in sorted(found.items()))
        for found in (became, errors)
    )
    return f"{counts} ({names})"


def application(
    number: int, deployed: Deployed, postgres: Postgres, request: pytest.FixtureRequest
) -> Any:
    """The strategy is what its trouble needs; of the others, one of ten has two passwords."""
    sound = Strategy.DUAL_PASSWORD if number % 10 == 7 else Strategy.SINGLE_USER
    strategy = TROUBLES[number // STEP].strategy if number % STEP == 0 else sound
    if strategy is Strategy.DUAL_PASSWORD:
        return MysqlApplication(deployed, request.getfixturevalue("mariadb"), "mariadb", strategy)
    return Application(deployed, postgres, alternating=strategy is Strategy.ALTERNATING_USERS)


@pytest.fixture
def group(deployed: Deployed, postgres: Postgres, request: pytest.FixtureRequest) -> Group:
    """Their rotation is switched on, tried by the service, and only then comes the trouble."""
    made = Group(deployed)
    for number in range(SIZE):
        app = application(number, deployed, postgres, request)
        if number % STEP:
            made.good.append(app)
        else:
            made.bad.append((app, TROUBLES[number // STEP]))
    for number, app in enumerate(made.everyone, 1):
        app.rotate(RotationRules=RULES, RotateImmediately=False)
        if number % AT_ONCE == 0 or number == SIZE:
            wait_for(lambda: not app.rotating() or None, "the test rotations to end")  # noqa: B023 - over before the next turn
    for app, trouble in made.bad:
        trouble.do(app)
    return made


def became(ended: Ended, apps: list[Any]) -> Counter[str]:
    return Counter(ended.became(app.arn) for app in apps)


def serves(app: Any) -> bool:
    """Whether AWSCURRENT logs in."""
    value = app.value("AWSCURRENT")
    return app.refusal(value["username"], value["password"]) is None


def assert_each_failed_in_its_own_way(ended: Ended, group: Group, begun: str) -> None:
    for app, trouble in group.bad:
        result = ended.of(app.arn)
        refused = trouble.error or trouble.said
        assert result["became"] == ("refused" if refused else begun), (str(trouble), result)
        assert trouble.said in result.get("reason", "")
        assert not refused or result.get("error", "") == trouble.error, (str(trouble), result)


def test_what_fails_does_not_keep_the_others_from_being_rotated(
    group: Group, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = group.rotated(capsys, onFailure="rollBackFailed")
    assert not ended.stands
    assert became(ended, group.good) == {"rotated": len(group.good)}
    assert_each_failed_in_its_own_way(ended, group, begun="rolledBack")
    assert all(serves(app) for app in group.good)
    # It was begun, given up, and undone: the password of before serves.
    undone, _ = group.bad[0]
    assert serves(undone)
    assert undone.value("AWSCURRENT")["password"] == undone.passwords[0]


def test_a_failure_brings_all_back_to_where_they_were(
    group: Group, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {app.arn: app.passwords[0] for app in group.good}
    ended = group.rotated(capsys, onFailure="rollBackAll")
    assert set(became(ended, group.good)) <= {"rolledBack", "skipped"}
    for app in group.good:
        assert app.value("AWSCURRENT")["password"] == before[app.arn]
        assert serves(app)


def test_a_failure_stops_what_has_not_begun_and_leaves_the_rest(
    group: Group, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = group.rotated(capsys, onFailure="stop", maxConcurrency=1)
    assert became(ended, group.everyone)["skipped"] >= SIZE - len(group.bad) - 1
    assert set(became(ended, group.good)) <= {"rotated", "skipped"}
    assert all(serves(app) for app in group.good)


def test_compromised_passwords_go_wherever_that_is_possible(
    group: Group, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = group.rotated(capsys, compromised=True)
    assert not ended.stands
    assert became(ended, group.good) == {"rotated": len(group.good)}
    for app in group.good:
        assert app.refusal(app.name, app.passwords[0]) is not None
        assert len(ended.of(app.arn)["works"]) == 1
    assert_each_failed_in_its_own_way(ended, group, begun="failed")
    for app in group.everyone:
        result, works = ended.of(app.arn), passwords_that_work(app)
        assert set(result["works"]) <= works <= {*result["works"], *result["unknown"]}, result
    undone, _ = group.bad[0]
    assert ended.of(undone.arn)["works"] == [version_with(undone, "AWSCURRENT")]


def version_with(app: Any, label: str) -> str:
    return str(next(version for version, labels in app.labels().items() if label in labels))


def passwords_that_work(app: Any) -> set[str]:
    """The versions of a secret whose passwords the server takes."""
    works = set[str]()
    for version in app.labels():
        text = app.client.get_secret_value(SecretId=app.arn, VersionId=version)["SecretString"]
        with suppress(ValueError):  # One of them is no JSON.
            value = json.loads(text)
            if app.refusal(value["username"], value["password"]) is None:
                works.add(version)
    return works
