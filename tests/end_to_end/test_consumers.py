"""What applications see of rotations, with AWS's own caching library.

REKEY_CONSUMERS and REKEY_ROTATIONS set how many of them; `make prove` takes 20 and 50.
"""

import os
from collections.abc import Callable

import pytest

from local.consumer import Read, uncached
from rekey.model import Strategy
from tests.conftest import TOLD, Deployed
from tests.end_to_end.consumers import SETTINGS, Setting, rotate_under_consumers

Record = Callable[[str, object], None]
FEW = 4
CONSUMERS = int(os.environ.get("REKEY_CONSUMERS", str(FEW)))
ROTATIONS = int(os.environ.get("REKEY_ROTATIONS", "5"))
WRONG_PASSWORD = {"postgres": "28P01", "mysql": "1045", "mariadb": "1045"}
SINGLE = [setting for setting in SETTINGS if setting.strategy is Strategy.SINGLE_USER]
OTHERS = [setting for setting in SETTINGS if setting not in SINGLE]


@pytest.mark.parametrize("setting", OTHERS, ids=str)
def test_no_login_fails_at_any_time(
    deployed: Deployed,
    setting: Setting,
    request: pytest.FixtureRequest,
    record_property: Record,
) -> None:
    app = setting.application(deployed, request.getfixturevalue(setting.engine))
    seen = rotate_under_consumers(app, setting, CONSUMERS, ROTATIONS)
    record_property(TOLD, str(seen))
    assert seen.refused == []


@pytest.mark.parametrize("setting", SINGLE, ids=str)
def test_the_gap_of_a_single_user_ends_when_a_consumer_reads_the_new_value(
    deployed: Deployed,
    setting: Setting,
    request: pytest.FixtureRequest,
    record_property: Record,
) -> None:
    """At most one gap for each consumer and rotation, and none that is not over."""
    app = setting.application(deployed, request.getfixturevalue(setting.engine))
    readers: list[Callable[[], Read] | None] = [None]
    # The other way costs as long again: one engine shows it, and all of them in `make consumers`.
    if setting.engine == "postgres" or CONSUMERS > FEW:
        readers.append(lambda: uncached(app.client, app.arn))
    for read in readers:
        seen = rotate_under_consumers(app, setting, CONSUMERS, ROTATIONS, read)
        record_property(TOLD, str(seen))
        assert 0 < len(seen.gaps) <= CONSUMERS * ROTATIONS
        assert set(seen.refused) == {WRONG_PASSWORD[setting.engine]}
